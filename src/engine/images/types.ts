/** What the builder, the containers and the API may ask of the image store. */

import type { Readable } from 'node:stream';
import type { Digest, ImageConfig } from '../../lib/image/config.ts';

export interface Image {
  /** The digest of the configuration. */
  readonly id: Digest;
  readonly config: ImageConfig;
  /** The chain id of the topmost layer; null for an image without layers. */
  readonly chainId: Digest | null;
  /** Familiar names with tag, e.g. `debian:bookworm-slim`. */
  readonly tags: readonly string[];
  /** Familiar `name@sha256:…`. */
  readonly digests: readonly string[];
  /** Bytes of all layers, unpacked. */
  readonly size: number;
  /** ISO 8601. */
  readonly created: string;
  /** Id of the image it was built from here, '' otherwise. */
  readonly parent: string;
  /** ISO 8601; when a name was last given to it, '' when never. */
  readonly lastTagged: string;
}

/** One line of a pull's or load's progress, in the API's jsonmessage form. */
export interface Progress {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly stream?: string;
  readonly aux?: Record<string, unknown>;
}

export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress?: string;
}

export interface PullOptions {
  readonly platform?: string;
  readonly auth?: RegistryAuth;
  readonly onProgress: (line: Progress) => void;
  readonly signal: AbortSignal;
}

export interface PushOptions {
  /** Undefined: every tag of the repository. */
  readonly tag?: string;
  readonly auth?: RegistryAuth;
  readonly onProgress: (line: Progress) => void;
  readonly signal: AbortSignal;
}

/** What happens to images, for the engine's events: `attributes` holds the `name` as Docker gives it. */
export interface ImageEvent {
  readonly action: 'pull' | 'push' | 'tag' | 'untag' | 'delete' | 'load' | 'save' | 'import';
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface ImageStore {
  /** By name, name:tag, name@digest, id or unique id prefix. Undefined when there is none; throws `invalid` on a malformed or ambiguous one. */
  find(reference: string): Image | undefined;
  /** As find; throws `not-found` with Docker's wording (`No such image: …`). */
  get(reference: string): Image;
  list(): Image[];
  /** Stores a configuration whose layers are snapshots already, and names it. */
  create(
    config: ImageConfig,
    options: { tags: readonly string[]; parent?: string },
  ): Promise<Image>;
  tag(reference: string, name: string): Promise<void>;
  /** Untags and, when nothing refers to it any more, deletes. Docker's answer: one entry an action. */
  remove(
    reference: string,
    options: { force: boolean; prune: boolean },
  ): Promise<{ Untagged?: string; Deleted?: string }[]>;
  pull(reference: string, options: PullOptions): Promise<Image>;
  /** Throws not-found for a name without an image, unauthorized and forbidden in the registry's words. */
  push(reference: string, options: PushOptions): Promise<void>;
  load(
    archive: Readable,
    options: { onProgress: (line: Progress) => void; signal: AbortSignal },
  ): Promise<Image[]>;
  /** A `docker save` archive (also a valid OCI layout) of the named images. */
  save(references: readonly string[], signal: AbortSignal): Promise<Readable>;
  /** One layer from a root file system tar. */
  import(
    archive: Readable,
    options: {
      tag?: string;
      changes: readonly string[];
      message?: string;
      platform?: string;
      signal: AbortSignal;
    },
  ): Promise<Image>;
  /** Removes content that no image, container or cache entry needs. Returns bytes. */
  sweep(): Promise<number>;
}
