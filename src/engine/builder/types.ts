/** What the API may ask of the image builder. */

import type { Readable } from 'node:stream';
import type { BuildPlan, BuildPlanRequest } from '../../lib/api/builds.ts';
import type { RegistryAuth } from '../images/types.ts';

import type { BuildRecords } from './records/recorder.ts';

/** The options of `POST /build`, already checked. */
export interface BuildOptions {
  /** Path of the Dockerfile inside the context. */
  readonly dockerfile: string;
  readonly tags: readonly string[];
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly quiet: boolean;
  readonly squash: boolean;
  readonly platform: string;
  /** default | none | host | container:ID | a network. */
  readonly networkMode: string;
  readonly extraHosts: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly shmSize: number;
  /** Resource limits of the RUN steps, in the HostConfig's names. */
  readonly resources: Readonly<Record<string, unknown>>;
  readonly auths: Readonly<Record<string, RegistryAuth>>;
  /** For the record only: absolute paths on the client's machine. */
  readonly recordContext?: string;
  readonly recordDockerfile?: string;
}

/** The place of one RUN step on a network. */
export interface StepNetwork {
  readonly namespace: 'private' | 'host' | { readonly path: string };
  readonly resolvConf: string;
  /** The step's own addresses; empty with loopback only. */
  readonly addresses: readonly string[];
  /** What `host-gateway` stands for. */
  readonly gateway: string | undefined;
  /** Before the step's first instruction. */
  connect(process: { readonly pid: number; readonly startTime: number }): Promise<void>;
  /** Once the step has ended, or never began. */
  close(): Promise<void>;
}

/** Gives RUN steps their networks. */
export interface StepNetworks {
  /** `mode` is default, none, host, container:ID or a network; throws not-found and conflict. */
  open(mode: string, step: string): Promise<StepNetwork>;
}

/** One message of the answer's stream: `stream` text, `aux` with the image's id, or pull progress. */
export interface BuildMessage {
  readonly stream?: string;
  readonly aux?: { readonly ID: string };
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

export interface Builder {
  /** Builds from a context tar (any compression). Resolves to the image's id. */
  build(
    context: Readable,
    options: BuildOptions,
    io: { write: (message: BuildMessage) => void; signal: AbortSignal },
  ): Promise<string>;
  /** Snapshots that the cache needs, for sweeps. */
  neededChains(): ReadonlySet<string>;
  readonly records: Omit<BuildRecords, 'begin' | 'latest'>;
  /** What a build of a Dockerfile would take from the cache. It fetches nothing and changes nothing. */
  forecast(request: BuildPlanRequest): BuildPlan;
  prune(options: { all: boolean }): Promise<{ CachesDeleted: string[]; SpaceReclaimed: number }>;
}
