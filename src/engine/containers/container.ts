/** One container in memory: what was asked for, the state that the database also holds, and its living parts. It takes no decisions: lifecycle.ts does. */

import type {
  ContainerConfig,
  ContainerStatus,
  HealthState,
  HostConfig,
} from '../../lib/api/containers.ts';
import type { Digest } from '../../lib/image/config.ts';
import type { EndpointWish, LiveNetwork } from '../network/types.ts';
import type { ExitRecord, OciProcess, Shim } from '../runtime/types.ts';
import type { DeferredStream } from './streams/deferred.ts';

/** Docker's "never". */
const NEVER = '0001-01-01T00:00:00Z';

/** One mount as it was decided at creation. */
export interface PlannedMount {
  readonly type: 'bind' | 'volume' | 'tmpfs';
  /** Volume name. */
  readonly name?: string;
  /** Host path of a bind; '' for tmpfs; a volume's comes from its store at start. */
  readonly source: string;
  readonly destination: string;
  /** As inspect shows it, e.g. `ro,z`. */
  readonly mode: string;
  readonly rw: boolean;
  readonly propagation: string;
  /** Mount options beyond ro and propagation (tmpfs). */
  readonly options: readonly string[];
  readonly nonRecursive?: boolean;
  /** Make the host directory at start when it is missing (the short bind form). */
  readonly createSource?: boolean;
  /** Copy the image's content into a new, empty volume. */
  readonly copyUp?: boolean;
  readonly subpath?: string;
}

/** Fixed at creation, but for what `update`, `rename` and `network connect` change. */
export interface Definition {
  readonly id: string;
  readonly created: string;
  readonly imageId: Digest;
  /** As the request named it. */
  readonly imageName: string;
  readonly chainId: Digest | null;
  readonly platform: string;
  readonly config: ContainerConfig;
  hostConfig: HostConfig;
  readonly path: string;
  readonly args: readonly string[];
  readonly mounts: readonly PlannedMount[];
  /** Network name → how it is there; empty without networks of its own. */
  networks: Readonly<Record<string, EndpointWish>>;
  /** Its mode is none, and it was disconnected from that: it may be connected to others. */
  leftNone?: boolean;
}

/** What changes while it lives, as the database holds it. */
export interface StoredState {
  status: ContainerStatus;
  pid: number;
  exitCode: number;
  error: string;
  startedAt: string;
  finishedAt: string;
  oomKilled: boolean;
  restartCount: number;
  /** The user stopped it: restart policies let it rest. */
  manuallyStopped: boolean;
  /** Its endpoints and host ports while it lives; afterwards those of its last run, for the same addresses again. */
  network?: LiveNetwork | null;
}

export interface Exec {
  readonly id: string;
  readonly containerId: string;
  readonly command: readonly string[];
  /** A program of the engine's that runs in place of one of the container's. */
  readonly program: string | undefined;
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: string;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: string;
  readonly size: readonly [number, number] | undefined;
  pid: number;
  status: 'created' | 'running' | 'exited';
  exitCode: number | null;
  /** Milliseconds since the epoch. */
  finished: number;
}

/** Runs tasks one after another. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

export class Container {
  readonly definition: Definition;
  name: string;
  state: StoredState;
  /** Set while a process of the container exists. */
  shim: Shim | undefined;
  /** Counts the starts, so that a late exit of an earlier run changes nothing. */
  run = 0;
  /** What execs inherit: user, capabilities, limits. */
  process: OciProcess | undefined;
  health: HealthState | undefined;
  restartTimer: NodeJS.Timeout | undefined;
  stopHealth: (() => void) | undefined;
  backoffMs = 0;
  removing = false;
  /** Attached before the start: given the shim's stream when it is there. */
  readonly pending = new Set<{
    stream: DeferredStream;
    stdin: boolean;
    stdout: boolean;
    stderr: boolean;
  }>();
  readonly execs = new Map<string, Exec>();
  readonly turns = new Turns();
  readonly #exits = new Set<(record: ExitRecord) => void>();
  readonly #removals = new Set<(exitCode: number) => void>();

  constructor(definition: Definition, name: string, state: StoredState) {
    this.definition = definition;
    this.name = name;
    this.state = state;
  }

  get id(): string {
    return this.definition.id;
  }

  get isRunning(): boolean {
    return (
      this.state.status === 'running' || this.state.status === 'paused' || this.isRestartingNow
    );
  }

  /** Waiting for its restart policy's pause to end; Docker calls it running and restarting at once. */
  get isRestartingNow(): boolean {
    return this.state.status === 'restarting';
  }

  /** Has processes. */
  get isLive(): boolean {
    return this.state.status === 'running' || this.state.status === 'paused';
  }

  onExit(listener: (record: ExitRecord) => void): () => void {
    this.#exits.add(listener);
    return () => this.#exits.delete(listener);
  }

  onRemoved(listener: (exitCode: number) => void): () => void {
    this.#removals.add(listener);
    return () => this.#removals.delete(listener);
  }

  announceExit(record: ExitRecord): void {
    for (const listener of [...this.#exits]) listener(record);
  }

  announceRemoval(): void {
    for (const listener of [...this.#removals]) listener(this.state.exitCode);
  }
}

export function newState(): StoredState {
  return {
    status: 'created',
    pid: 0,
    exitCode: 0,
    error: '',
    startedAt: NEVER,
    finishedAt: NEVER,
    oomKilled: false,
    restartCount: 0,
    manuallyStopped: false,
  };
}
