/** What the engine may ask of the native helper (docs/native.md) and of a container's shim. */

import type { Duplex, Readable } from 'node:stream';

/** The modes of the engine (docs/architecture.md). */
export type Mode = 'system' | 'rootless' | 'single-id';

/** A file tree for the native verbs: a directory, an overlay, or a process' root. */
export type Root =
  | { readonly dir: string }
  | {
      readonly lowers: readonly string[];
      readonly upper?: string;
      readonly work?: string;
      /** Owners as a container sees them in which these ids and root's have changed places. */
      readonly ids?: { readonly uid: number; readonly gid: number };
    }
  /** `joined`: owners as the process sees them, which has a user namespace of its own. */
  | { readonly pid: number; readonly joined?: boolean };

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Data for standard input; the request then travels as `--request`. */
  readonly input?: Readable;
}

/** Runs verbs of pinnace-native. Every failure is an EngineError with the helper's kind, errno and path. */
export interface Native {
  readonly path: string;
  /** e.g. `call(['layer', 'hash'], {...})`. */
  call<T>(verb: readonly string[], request: unknown, options?: CallOptions): Promise<T>;
  /** A verb whose standard output is data; `done` settles with the JSON answer. */
  stream<T>(
    verb: readonly string[],
    request: unknown,
    options?: CallOptions,
  ): { output: Readable; done: Promise<T> };
}

/** containerID: inside (of a mount: on the disk); hostID: outside (of a mount: what it shows). */
export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface OciProcess {
  terminal?: boolean;
  consoleSize?: { height: number; width: number };
  user: { uid: number; gid: number; additionalGids?: number[]; umask?: number; username?: string };
  args: string[];
  env: string[];
  cwd: string;
  capabilities?: Partial<
    Record<'bounding' | 'effective' | 'inheritable' | 'permitted' | 'ambient', string[]>
  >;
  rlimits?: { type: string; soft: number; hard: number }[];
  noNewPrivileges?: boolean;
  oomScoreAdj?: number;
}

/** runtime-spec 1.2 with the extensions of docs/native.md; built by runtime/spec.ts. */
export interface OciSpec {
  ociVersion: string;
  process: OciProcess;
  root: {
    path: string;
    readonly?: boolean;
    overlay?: { lowers: readonly string[]; upper: string; work: string };
  };
  hostname?: string;
  domainname?: string;
  mounts: {
    destination: string;
    type?: string;
    source?: string;
    options?: string[];
    uidMappings?: IdMapping[];
    gidMappings?: IdMapping[];
  }[];
  linux: Record<string, unknown>;
  annotations?: Record<string, string>;
}

export interface ExitRecord {
  readonly exitCode: number;
  readonly signal: number | null;
  readonly oomKilled: boolean;
  /** RFC 3339 with nanoseconds. */
  readonly finishedAt: string;
  readonly error: string | null;
}

export interface ShimRequest {
  readonly id: string;
  readonly dir: string;
  readonly config: OciSpec;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly size: { readonly height: number; readonly width: number } | null;
  readonly log: {
    readonly path: string;
    readonly maxSize: number;
    readonly maxFiles: number;
  } | null;
  readonly exitFile: string;
}

/** One living container as its shim shows it. Streams are Docker's own framing: stdcopy frames, raw with a tty. */
export interface Shim {
  readonly pid: number;
  readonly startTime: number;
  start(): Promise<void>;
  attach(streams: { stdin: boolean; stdout: boolean; stderr: boolean }): Promise<Duplex>;
  exec(request: ExecRequest): Promise<{ pid: number; stream: Duplex | null }>;
  wait(exec: string | null): Promise<ExitRecord>;
  resize(exec: string | null, height: number, width: number): Promise<void>;
  kill(signal: number, options: { all: boolean }): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  update(resources: Record<string, unknown>): Promise<void>;
  stats(): Promise<Record<string, unknown>>;
  /** Tears down a container that was never started. */
  stopCreated(): Promise<void>;
}

export interface ExecRequest {
  readonly id: string;
  readonly process: OciProcess;
  /** A program of the host's to run instead of one of the container's. */
  readonly program?: string;
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detach: boolean;
  readonly size: { readonly height: number; readonly width: number } | null;
}

/** Makes containers and finds them again. */
export interface Runtime {
  readonly mode: Mode;
  /** Created state: init exists and waits for start(). */
  create(request: ShimRequest): Promise<Shim>;
  /** The shim that still runs in `dir`, undefined when it is gone. */
  find(dir: string): Promise<Shim | undefined>;
  /** Kills what a lost shim may have left (checked by pid and start time) and removes `dir`. */
  clear(dir: string): Promise<void>;
}
