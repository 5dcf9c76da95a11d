/** What the API calls for images: joins the store with the layers' sizes and the containers that use an image. */

import { EngineError, kindOf } from '../../lib/errors.ts';
import type { ImageDeleteItem, ImagesPruned, ImageSummary } from '../../lib/api/images.ts';
import type { ImageService } from '../api/routes/images.ts';
import type { Containers } from '../containers/types.ts';
import type { RegistryService } from '../api/routes/registry.ts';
import type { RegistryConfig } from '../../lib/image/registry-config.ts';
import { imageHistory } from '../images/history.ts';
import { imageFilter, inspectImage, listImages } from '../images/inspect.ts';
import type { ImageFilters } from '../images/inspect.ts';
import type { Image, ImageStore } from '../images/types.ts';
import { chainIds } from '../storage/digest.ts';
import type { SnapshotStore } from '../storage/types.ts';

export interface ImageServiceParts {
  readonly registry: RegistryConfig;
  readonly store: ImageStore;
  readonly snapshots: Pick<SnapshotStore, 'get' | 'lowers' | 'all'>;
  readonly usersOf: Containers['usersOf'];
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createImageService(parts: ImageServiceParts): ImageService & RegistryService {
  const { store, snapshots, now, registry: config } = parts;
  const get = (reference: string): Image => store.get(reference);
  return {
    list: ({ all, filters, sharedSize }) => {
      const summaries = listImages(store.list(), { all, filters, get, now: now() });
      return sharedSize ? withUsage(summaries, parts) : summaries;
    },
    inspect: (reference) => {
      const image = store.get(reference);
      return inspectImage(image, snapshots.lowers(image.chainId));
    },
    history: (reference) => {
      const image = store.get(reference);
      return imageHistory(
        image,
        chainIds(image.config.rootfs.diff_ids).map((id) => snapshots.get(id)?.size ?? 0),
      );
    },
    tag: (reference, name) => store.tag(reference, name),
    remove: (reference, options) => store.remove(reference, options),
    async pull(reference, options) {
      await store.pull(reference, options);
    },
    async load(archive, { quiet, onProgress, signal }) {
      const onLine: typeof onProgress = (line) => {
        if (!quiet || line.stream !== undefined) onProgress(line);
      };
      await store.load(archive, { onProgress: onLine, signal });
    },
    save: (references, signal) => store.save(references, signal),
    import: async (archive, options) => (await store.import(archive, options)).id,
    prune: (filters) => pruneImages(parts, filters),
    push: (name, options) => store.push(name, options),
    async search(term, limit, options) {
      const { searchImages } = await import('../images/remote.ts');
      return searchImages(term, limit, { ...options, config });
    },
    async distribution(name, options) {
      const { inspectRemote } = await import('../images/remote.ts');
      return inspectRemote(name, { ...options, config });
    },
  };
}

/** Fills in what costs a look at all layers: the bytes shared with other images, and the containers. */
export function withUsage(summaries: ImageSummary[], parts: ImageServiceParts): ImageSummary[] {
  const { store, snapshots, usersOf } = parts;
  const chains = new Map(
    store.list().map((image) => [image.id, chainIds(image.config.rootfs.diff_ids)]),
  );
  const uses = new Map<string, number>();
  for (const chain of chains.values())
    for (const id of chain) uses.set(id, (uses.get(id) ?? 0) + 1);
  for (const summary of summaries) {
    const shared = (chains.get(summary.Id) ?? []).filter((id) => (uses.get(id) ?? 0) > 1);
    summary.SharedSize = shared.reduce((sum, id) => sum + (snapshots.get(id)?.size ?? 0), 0);
    summary.Containers = usersOf(summary.Id).length;
  }
  return summaries;
}

/** Dangling images only, unless `dangling=false` asks for all that no container uses. */
async function pruneImages(parts: ImageServiceParts, filters: ImageFilters): Promise<ImagesPruned> {
  const { store, snapshots, usersOf, now } = parts;
  for (const name of Object.keys(filters)) {
    if (!['dangling', 'until', 'label', 'label!'].includes(name)) {
      throw new EngineError('invalid', `invalid filter '${name}'`);
    }
  }
  const { dangling = ['true'], ...rest } = filters;
  const everything = dangling.length > 0 && ['0', 'false'].includes(dangling[0] ?? '');
  const accepts = imageFilter({
    filters: everything ? rest : { ...rest, dangling },
    get: (reference) => store.get(reference),
    now: now(),
  });
  const size = (): number => snapshots.all().reduce((sum, snapshot) => sum + snapshot.size, 0);
  const before = size();
  const deleted: ImageDeleteItem[] = [];
  for (const image of store.list().filter(accepts)) {
    if (usersOf(image.id).length > 0) continue;
    const names = [...image.tags, ...image.digests];
    for (const name of names.length === 0 ? [image.id] : names)
      deleted.push(...(await removeUnused(store, name)));
  }
  const swept = await store.sweep();
  return {
    ImagesDeleted: deleted.length === 0 ? null : deleted,
    SpaceReclaimed: Math.max(before - size(), swept),
  };
}

/** An image that others were built from, or that went with its last name already, is left out. */
async function removeUnused(store: ImageStore, name: string): Promise<ImageDeleteItem[]> {
  try {
    return await store.remove(name, { force: false, prune: true });
  } catch (error) {
    const kind = kindOf(error);
    if (kind === 'conflict' || kind === 'not-found') return [];
    throw error;
  }
}
