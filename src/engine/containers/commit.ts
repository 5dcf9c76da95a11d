/** `docker commit`: a container's own layer and configuration become an image. The layer is copied while the container pauses; the container itself is not changed. */

import { posix } from 'node:path';
import type { ContainerConfig } from '../../lib/api/containers.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { HistoryEntry, ImageConfig, RunConfig } from '../../lib/image/config.ts';
import { applyChanges } from '../images/changes.ts';
import { parseReference, withDefaultTag } from '../../lib/image/reference.ts';
import type { Draft, Lease, Snapshot } from '../storage/types.ts';
import type { Container } from './container.ts';
import { changesBeneath } from './files/archive.ts';
import { announce, placesOf } from './parts.ts';
import type { ContainersParts } from './parts.ts';
import { shiftOf } from './request/owner.ts';

export interface CommitRequest {
  /** The new image's name, '' for none. */
  readonly name: string;
  readonly comment: string;
  readonly author: string;
  readonly pause: boolean;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** Members that win over the container's. */
  readonly config: ContainerConfig | undefined;
  readonly signal: AbortSignal;
}

interface CommitParts extends ContainersParts {
  readonly pause: (container: Container) => Promise<void>;
  readonly unpause: (container: Container) => Promise<void>;
}

/** Resolves to the image's id. Throws invalid for a bad name or change before anything is done. */
export async function commitContainer(
  container: Container,
  request: CommitRequest,
  parts: CommitParts,
): Promise<string> {
  const tags = request.name === '' ? [] : [checkedName(request.name)];
  const { definition } = container;
  const config = applyChanges(runConfigOf(definition.config, request.config), request.changes);
  const base = baseOf(container, parts);
  const lease = parts.snapshots.lease();
  try {
    if (definition.chainId !== null) lease.add(definition.chainId);
    const snapshot = await withPause(container, request, parts, () =>
      layerOf(container, { parts, lease, signal: request.signal }),
    );
    const created = parts.clock().toISOString();
    const entry: HistoryEntry = {
      created,
      ...(request.author === '' ? {} : { author: request.author }),
      created_by: commandOf(definition.config),
      ...(request.comment === '' ? {} : { comment: request.comment }),
      ...(snapshot === undefined ? { empty_layer: true } : {}),
    };
    const document: ImageConfig = {
      ...base,
      created,
      ...(request.author === '' ? {} : { author: request.author }),
      config,
      rootfs: {
        type: 'layers',
        diff_ids: [...base.rootfs.diff_ids, ...(snapshot === undefined ? [] : [snapshot.diffId])],
      },
      history: [...(base.history ?? []), entry],
    };
    const parent = parts.images.find(definition.imageId)?.id;
    const image = await parts.images.create(document, {
      tags,
      ...(parent === undefined ? {} : { parent }),
    });
    announce(parts.events, container, 'commit', {
      comment: request.comment,
      imageID: image.id,
      imageRef: tags[0] ?? '',
    });
    return image.id;
  } catch (error) {
    lease.release();
    await parts.images.sweep();
    throw request.signal.aborted
      ? new EngineError('cancelled', 'the commit was cancelled', { cause: error })
      : error;
  } finally {
    lease.release();
  }
}

function checkedName(name: string): string {
  const reference = withDefaultTag(parseReference(name));
  if (reference.digest !== undefined)
    throw new EngineError('invalid', 'cannot commit to digest reference');
  return name;
}

/** The image that the container stands on; when that was removed by force its layers are still there, but its history is not. */
function baseOf(container: Container, { images }: ContainersParts): ImageConfig {
  const { imageId, name } = { ...container.definition, name: container.name };
  const image = images.find(imageId);
  if (image !== undefined) return image.config;
  throw new EngineError(
    'conflict',
    `the image ${imageId} of the container ${name} is gone: export the container and import it`,
  );
}

/** As Docker: paused only while its files are read, and where this machine can pause at all. */
async function withPause<T>(
  container: Container,
  request: CommitRequest,
  parts: CommitParts,
  task: () => Promise<T>,
): Promise<T> {
  if (!request.pause || container.state.status !== 'running') return task();
  try {
    await parts.pause(container);
  } catch (error) {
    // Without control groups of our own nothing can be frozen; the copy is as consistent as that of a running container.
    if (!['not-implemented', 'unavailable', 'forbidden'].includes(kindOf(error))) throw error;
    return task();
  }
  try {
    return await task();
  } finally {
    await parts.unpause(container);
  }
}

/** The container's changes as a snapshot on its image; undefined when there are none. */
async function layerOf(
  container: Container,
  io: { parts: ContainersParts; lease: Lease; signal: AbortSignal },
): Promise<Snapshot | undefined> {
  const { parts, lease, signal } = io;
  const { snapshots, native } = parts;
  const stubs = await changesBeneath(container, parts);
  if (stubs.kept === 0) return undefined;
  const draft = await snapshots.draft(container.definition.chainId);
  try {
    await copyUpper(container, draft, io);
    for (const path of stubs.left.sort((a, b) => depth(b) - depth(a))) {
      await native
        .call(['files', 'delete'], { root: { dir: draft.upper }, path, keepTime: true })
        .catch((error: unknown) => {
          // A mount point that holds the user's own files is no stub.
          if (!['conflict', 'not-found'].includes(kindOf(error))) throw error;
        });
    }
    return await snapshots.commit(draft, { signal, lease });
  } catch (error) {
    await snapshots.discard(draft);
    throw error;
  }
}

async function copyUpper(
  container: Container,
  draft: Draft,
  { parts, signal }: { parts: ContainersParts; signal: AbortSignal },
): Promise<void> {
  const { native, places } = parts;
  const { upper } = placesOf(places, container.id);
  const ids = shiftOf(container.definition.hostConfig, parts.runtime.mode);
  const diff = {
    dir: upper,
    out: null,
    compress: 'none',
    sourceDateEpoch: null,
    ...(ids === undefined ? {} : { ids }),
  };
  const { output, done } = native.stream(['layer', 'diff', '--to-stdout'], diff, { signal });
  const unpack = {
    dir: draft.upper,
    form: 'overlay',
    keep: null,
    expectDigest: null,
    expectDiffId: null,
    limits: null,
    idMap: null,
  };
  await Promise.all([done, native.call(['layer', 'unpack'], unpack, { input: output, signal })]);
}

function depth(path: string): number {
  return posix.normalize(path).split('/').length;
}

/** `created_by`: the container's command, as Docker writes it. */
function commandOf({ Cmd }: ContainerConfig): string {
  return typeof Cmd === 'string' ? Cmd : (Cmd ?? []).join(' ');
}

/** What of a container's configuration an image has; `own` wins. */
function runConfigOf(container: ContainerConfig, own: ContainerConfig | undefined): RunConfig {
  const pick = <K extends keyof ContainerConfig>(name: K): ContainerConfig[K] =>
    own?.[name] ?? container[name];
  const list = (value: string | string[] | null | undefined): string[] | undefined =>
    value === null || value === undefined ? undefined : typeof value === 'string' ? [value] : value;
  const all = {
    User: pick('User'),
    ExposedPorts: pick('ExposedPorts') as RunConfig['ExposedPorts'] | null,
    Env: pick('Env'),
    Entrypoint: list(pick('Entrypoint')),
    Cmd: list(pick('Cmd')),
    Volumes: pick('Volumes') as RunConfig['Volumes'] | null,
    WorkingDir: pick('WorkingDir'),
    Labels: pick('Labels'),
    StopSignal: pick('StopSignal'),
    StopTimeout: pick('StopTimeout'),
    Healthcheck: pick('Healthcheck'),
    Shell: pick('Shell'),
    OnBuild: pick('OnBuild'),
  };
  const filled = Object.entries(all).filter(([, value]) => !isEmpty(value));
  return Object.fromEntries(filled);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
