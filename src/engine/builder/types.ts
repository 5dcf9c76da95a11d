/** What the API may ask of the image builder. */

import type { Readable } from 'node:stream';
import type { RegistryAuth } from '../images/types.ts';

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
  /** default | none | host. */
  readonly networkMode: string;
  readonly extraHosts: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly shmSize: number;
  /** Resource limits of the RUN steps, in the HostConfig's names. */
  readonly resources: Readonly<Record<string, unknown>>;
  readonly auths: Readonly<Record<string, RegistryAuth>>;
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
  prune(options: { all: boolean }): Promise<{ CachesDeleted: string[]; SpaceReclaimed: number }>;
}
