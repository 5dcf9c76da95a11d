/** What the layers of an image hold: whose files are seen at the end, whose space is wasted, and how two images differ. Pure. */
import type { HistoryEntry, ImageConfig } from './config.ts';

export type EntryType = 'file' | 'directory' | 'symlink' | 'link' | 'other';

/** One entry of a layer's tar, as it is written there. */
export interface LayerEntry {
  /** Without a slash at its beginning or end; `` is the root. */
  readonly path: string;
  readonly type: EntryType;
  /** Bytes of a file; 0 of anything else. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Where a symbolic link leads, and which file a hard link is. */
  readonly target?: string;
  /** Of a file's content, where it was asked for. */
  readonly digest?: string;
}

export interface ImageLayer {
  /** Of the uncompressed tar. */
  readonly diffId: string;
  readonly entries: readonly LayerEntry[];
}

export interface ImageContents {
  readonly config: ImageConfig;
  /** From the base upwards. */
  readonly layers: readonly ImageLayer[];
}

/** Names of OCI's whiteouts (image-spec, layer.md). */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** What an entry takes away: a path with all below it, or all that lower layers have below a folder. */
export function removalOf({
  path,
}: LayerEntry): { readonly kind: 'path' | 'below'; readonly path: string } | undefined {
  const slash = path.lastIndexOf('/');
  const folder = path.slice(0, Math.max(0, slash));
  const name = path.slice(slash + 1);
  if (name === OPAQUE) return { kind: 'below', path: folder };
  if (!name.startsWith(WHITEOUT) || name.length === WHITEOUT.length) return undefined;
  const gone = name.slice(WHITEOUT.length);
  return { kind: 'path', path: folder === '' ? gone : `${folder}/${gone}` };
}

/** A file whose bytes are in the image and that nobody sees. */
export interface Waste {
  readonly path: string;
  readonly bytes: number;
  /** The layer that has the bytes, and the one that hides them; 0 is the base. */
  readonly layer: number;
  readonly by: number;
  readonly how: 'replaced' | 'deleted';
}

export interface LayerSurvey {
  readonly instruction: HistoryEntry;
  readonly diffId: string;
  /** Bytes of its files. */
  readonly bytes: number;
  /** Of those, what later layers hide. */
  readonly wasted: number;
  readonly added: readonly LayerEntry[];
  readonly changed: readonly LayerEntry[];
  readonly deleted: readonly string[];
}

export interface Survey {
  readonly layers: readonly LayerSurvey[];
  readonly bytes: number;
  /** The largest first. */
  readonly waste: readonly Waste[];
  /** What a container sees at its start, by path. */
  readonly seen: ReadonlyMap<string, LayerEntry>;
}

/** Goes through the layers from the base upwards, as a container's root is put together. */
export function survey({ config, layers }: ImageContents): Survey {
  const tree = new Tree();
  const instructions = (config.history ?? []).filter(({ empty_layer: empty }) => empty !== true);
  const found = layers.map(({ entries, diffId }, index) => ({
    ...tree.apply(entries, index),
    diffId,
    instruction: instructions[index] ?? {},
    bytes: entries.reduce((sum, entry) => sum + entry.size, 0),
  }));
  const wasted = layers.map(() => 0);
  for (const { layer, bytes } of tree.waste) wasted[layer] = (wasted[layer] ?? 0) + bytes;
  return {
    layers: found.map((layer, index) => ({ ...layer, wasted: wasted[index] ?? 0 })),
    bytes: found.reduce((sum, { bytes }) => sum + bytes, 0),
    waste: tree.waste.toSorted((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)),
    seen: tree.seen,
  };
}

interface Applied {
  readonly added: readonly LayerEntry[];
  readonly changed: readonly LayerEntry[];
  readonly deleted: readonly string[];
}

/** The root as it is after some layers. */
class Tree {
  readonly seen = new Map<string, LayerEntry>();
  readonly waste: Waste[] = [];
  private readonly layerOf = new Map<string, number>();
  /** Names right below each folder, so that what goes with a folder is found without a search. */
  private readonly below = new Map<string, Set<string>>();

  /** Whiteouts are about lower layers only, wherever they stand in the tar: they come first. */
  apply(entries: readonly LayerEntry[], layer: number): Applied {
    const added: LayerEntry[] = [];
    const changed: LayerEntry[] = [];
    const deleted: string[] = [];
    for (const entry of entries) {
      const removal = removalOf(entry);
      if (removal === undefined) continue;
      const paths =
        removal.kind === 'path'
          ? [removal.path]
          : [...(this.below.get(removal.path) ?? [])].map((name) => join(removal.path, name));
      for (const path of paths) {
        if (this.seen.has(path)) deleted.push(path);
        this.remove(path, layer);
      }
    }
    for (const entry of entries) {
      if (entry.path === '' || removalOf(entry) !== undefined) continue;
      const old = this.seen.get(entry.path);
      // A folder that is written again, as tars do for what they change below it, changes nothing that is seen.
      if (old === undefined) added.push(entry);
      else if (!isSame(old, entry) || entry.type === 'file') changed.push(entry);
      this.put(entry, layer, old);
    }
    return { added, changed, deleted };
  }

  private put(entry: LayerEntry, layer: number, old: LayerEntry | undefined): void {
    const { path } = entry;
    if (old?.type === 'directory' && entry.type !== 'directory') this.clear(path, layer);
    if (old !== undefined) this.lose(old, { layer, how: 'replaced' });
    this.seen.set(path, entry);
    this.layerOf.set(path, layer);
    this.enlist(path);
  }

  /** In its folder, and that in the one above: tars may leave folders out. */
  private enlist(path: string): void {
    for (let rest = path; rest !== '';) {
      const slash = rest.lastIndexOf('/');
      const folder = rest.slice(0, Math.max(0, slash));
      const names = this.below.get(folder);
      if (names !== undefined) {
        names.add(rest.slice(slash + 1));
        return;
      }
      this.below.set(folder, new Set([rest.slice(slash + 1)]));
      rest = folder;
    }
  }

  private remove(path: string, layer: number): void {
    this.clear(path, layer);
    const old = this.seen.get(path);
    if (old !== undefined) this.lose(old, { layer, how: 'deleted' });
    this.seen.delete(path);
    const slash = path.lastIndexOf('/');
    this.below.get(path.slice(0, Math.max(0, slash)))?.delete(path.slice(slash + 1));
  }

  /** All below a folder, without recursion: paths may be deep. */
  private clear(folder: string, layer: number): void {
    const folders = [folder];
    for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
      for (const name of this.below.get(next) ?? []) {
        const path = join(next, name);
        const old = this.seen.get(path);
        if (old !== undefined) this.lose(old, { layer, how: 'deleted' });
        this.seen.delete(path);
        if (this.below.has(path)) folders.push(path);
      }
      this.below.delete(next);
    }
  }

  private lose(
    { path, size }: LayerEntry,
    { layer, how }: { readonly layer: number; readonly how: Waste['how'] },
  ): void {
    const from = this.layerOf.get(path) ?? layer;
    if (size > 0) this.waste.push({ path, bytes: size, layer: from, by: layer, how });
  }
}

function join(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function isSame(a: LayerEntry, b: LayerEntry): boolean {
  return (
    a.type === b.type &&
    a.size === b.size &&
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.target === b.target &&
    a.digest === b.digest
  );
}

export interface FileDifference {
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly left: LayerEntry | undefined;
  readonly right: LayerEntry | undefined;
  /** Content, or only who may do what with it. */
  readonly what: 'content' | 'type' | 'rights';
}

/** Files of two images, by path. Of a folder that only one has, only the folder stands in the list. */
export function differences(
  left: ReadonlyMap<string, LayerEntry>,
  right: ReadonlyMap<string, LayerEntry>,
): FileDifference[] {
  const found: FileDifference[] = [];
  for (const [path, entry] of left) {
    const other = right.get(path);
    if (other === undefined) {
      if (isTop(path, left, right))
        found.push({ path, kind: 'removed', left: entry, right: undefined, what: 'content' });
    } else if (!isSame(entry, other))
      found.push({ path, kind: 'changed', left: entry, right: other, what: whatOf(entry, other) });
  }
  for (const [path, entry] of right)
    if (!left.has(path) && isTop(path, right, left))
      found.push({ path, kind: 'added', left: undefined, right: entry, what: 'content' });
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Whether the folder that it is in does not stand in the list itself. Tars may leave folders out. */
function isTop(
  path: string,
  own: ReadonlyMap<string, LayerEntry>,
  other: ReadonlyMap<string, LayerEntry>,
): boolean {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
  return other.has(folder) || !own.has(folder);
}

function whatOf(a: LayerEntry, b: LayerEntry): FileDifference['what'] {
  if (a.type !== b.type) return 'type';
  const isContent = a.size !== b.size || a.digest !== b.digest || a.target !== b.target;
  return isContent ? 'content' : 'rights';
}
