/** What the API may ask of the containers. Wire shapes are those of lib/api; references are names, ids or unique id prefixes. */

import type { CommitRequest } from './commit.ts';
import type { Duplex, Readable } from 'node:stream';
import type {
  ContainerCreateRequest,
  ContainerInspect,
  ContainerSummary,
  EndpointSettings,
  ExecCreateRequest,
  ExecInspect,
  ListeningPort,
  PathStat,
} from '../../lib/api/containers.ts';

/** Docker's filters: name → accepted values. */
export type Filters = Readonly<Record<string, readonly string[]>>;

export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Lines from the end; undefined: all. */
  readonly tail: number | undefined;
  /** Nanoseconds since the epoch. */
  readonly sinceNano: number | undefined;
  readonly untilNano: number | undefined;
}

export interface AttachOptions {
  readonly stream: boolean;
  readonly logs: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: string | undefined;
}

/** A stream in Docker's framing, and whether it is raw (tty). */
export interface Framed<T> {
  readonly tty: boolean;
  readonly stream: T;
}

export interface Containers {
  /** `docker commit`; resolves to the image's id. */
  commit(ref: string, request: CommitRequest): Promise<string>;
  create(
    name: string | undefined,
    request: ContainerCreateRequest,
  ): Promise<{ Id: string; Warnings: string[] }>;
  list(options: {
    all: boolean;
    limit: number;
    size: boolean;
    filters: Filters;
  }): Promise<ContainerSummary[]>;
  inspect(ref: string, options: { size: boolean }): Promise<ContainerInspect>;
  start(ref: string): Promise<'started' | 'not-modified'>;
  stop(
    ref: string,
    options: { timeout?: number; signal?: string },
  ): Promise<'stopped' | 'not-modified'>;
  restart(ref: string, options: { timeout?: number; signal?: string }): Promise<void>;
  kill(ref: string, signal: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  remove(ref: string, options: { force: boolean; volumes: boolean }): Promise<void>;
  /** Removes a link on the default bridge, named `PARENT/ALIAS`. */
  unlink(reference: string): Promise<void>;
  /** Subscribes before it returns, so that an exit after the call is never missed. */
  wait(
    ref: string,
    condition: 'not-running' | 'next-exit' | 'removed',
    signal: AbortSignal,
  ): Promise<{ StatusCode: number; Error: { Message: string } | null }>;
  resize(ref: string, height: number, width: number): Promise<void>;
  top(ref: string, psArgs: string): Promise<{ Titles: string[]; Processes: string[][] }>;
  logs(ref: string, options: LogOptions, signal: AbortSignal): Promise<Framed<Readable>>;
  /** Works before start too: the stream then begins with the container's first byte. */
  attach(ref: string, options: AttachOptions): Promise<Framed<Duplex>>;
  execCreate(ref: string, request: ExecCreateRequest): Promise<{ Id: string }>;
  execStart(
    id: string,
    options: { detach: boolean; tty: boolean; size: readonly [number, number] | undefined },
  ): Promise<Framed<Duplex> | null>;
  execInspect(id: string): ExecInspect;
  execResize(id: string, height: number, width: number): Promise<void>;
  archiveStat(ref: string, path: string): Promise<PathStat>;
  archiveGet(
    ref: string,
    path: string,
    signal: AbortSignal,
  ): Promise<{ stat: PathStat; tar: Readable }>;
  archivePut(
    ref: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir: boolean; copyUidGid: boolean },
    signal: AbortSignal,
  ): Promise<void>;
  export(ref: string, signal: AbortSignal): Promise<Readable>;
  changes(ref: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[]>;
  stats(ref: string, options: { oneShot: boolean }): Promise<Record<string, unknown>>;
  /** Puts a container on one more network, now or at its next start. */
  connect(network: string, ref: string, settings: EndpointSettings): Promise<void>;
  disconnect(network: string, ref: string, options: { force: boolean }): Promise<void>;
  /** TCP ports that something in the container listens on. */
  listeningPorts(ref: string): Promise<ListeningPort[]>;
  /** A connection to a port inside the container; half-close works both ways. */
  dial(ref: string, port: number): Promise<Duplex>;
  update(ref: string, resources: Record<string, unknown>): Promise<{ Warnings: string[] }>;
  prune(filters: Filters): Promise<{ ContainersDeleted: string[]; SpaceReclaimed: number }>;
  /** Images in use, for image removal's conflicts. */
  usersOf(imageId: string): { id: string; running: boolean }[];
}
