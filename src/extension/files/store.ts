/**
 * The files of the active engine's containers, images and volumes with the meaning that an editor's file system has:
 * what creates, replaces and follows, and what is too large to open. Knows no editor.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { standInsOf } from '../../client/files/stand-ins.ts';
import { openTree } from '../../client/files/open.ts';
import { collect, isReachable, listAll, type Tree, treeText } from '../../client/files/tree.ts';
import type { FileEntry, FileList } from '../../lib/api/files.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Engine, Engines, Listener } from '../engine/engines.ts';
import { Listeners } from '../views/row.ts';
import type { FileAddress } from './address.ts';

/** Bytes that are opened in an editor at most. */
const OPEN_LIMIT = 64 * 1024 * 1024;

export interface FileChange {
  readonly address: FileAddress;
  readonly what: 'created' | 'changed' | 'deleted';
}

export class FileStore {
  private readonly engines: Engines;
  private readonly options: { readonly program?: string };
  private readonly listeners = new Listeners<readonly FileChange[]>();
  private readonly trees = new WeakMap<Engine['client'], Map<string, Promise<Tree>>>();

  /** `program`: the path of a static busybox, for what archives of other engines cannot do. */
  constructor(engines: Engines, options: { readonly program?: string } = {}) {
    this.engines = engines;
    this.options = options;
  }

  /** Throws EngineError as the tree does. */
  async stat(address: FileAddress): Promise<FileEntry> {
    return (await this.tree(address)).stat(address.path);
  }

  /** Names that cannot be asked for are left out. */
  async readFolder(address: FileAddress): Promise<FileEntry[]> {
    const entries: FileEntry[] = [];
    for await (const entry of listAll(await this.tree(address), address.path))
      if (isReachable(entry.name)) entries.push(entry);
    return entries;
  }

  async page(address: FileAddress, after: string | undefined): Promise<FileList> {
    const options = after === undefined ? {} : { after };
    return (await this.tree(address)).list(address.path, options);
  }

  /** Throws EngineError (invalid) for what is larger than 64 MB and for devices, which may never end. */
  async read(address: FileAddress): Promise<Buffer> {
    const tree = await this.tree(address);
    const entry = await tree.stat(address.path);
    const type = entry.type === 'symlink' ? entry.targetType : entry.type;
    if (type === undefined)
      throw new EngineError('not-found', `${address.path} is a link that leads nowhere`);
    if (type !== 'file') throw new EngineError('invalid', `${address.path} is a ${type}`);
    const tooLarge = (): EngineError => sizeError(address.path, entry.size);
    if (entry.type === 'file' && entry.size > OPEN_LIMIT) throw tooLarge();
    return collect(await tree.read(address.path), OPEN_LIMIT, tooLarge);
  }

  async write(
    address: FileAddress,
    content: Uint8Array,
    options: { readonly create: boolean; readonly overwrite: boolean },
  ): Promise<void> {
    const tree = await this.tree(address);
    const isThere = await exists(tree, address.path);
    if (!isThere && !options.create)
      throw new EngineError('not-found', `${address.path} is not there`);
    if (isThere && !options.overwrite)
      throw new EngineError('conflict', `${address.path} is there already`);
    const body = Readable.from(content.byteLength === 0 ? [] : [Buffer.from(content)]);
    await tree.write(address.path, { body, size: content.byteLength });
    this.tell([{ address, what: isThere ? 'changed' : 'created' }]);
  }

  async makeFolder(address: FileAddress): Promise<void> {
    await (await this.tree(address)).makeFolder(address.path);
    this.tell([{ address, what: 'created' }]);
  }

  async remove(address: FileAddress, options: { readonly recursive: boolean }): Promise<void> {
    await (await this.tree(address)).remove(address.path, options);
    this.tell([{ address, what: 'deleted' }]);
  }

  async rename(
    from: FileAddress,
    to: FileAddress,
    { overwrite }: { readonly overwrite: boolean },
  ): Promise<void> {
    if (from.kind !== to.kind || from.id !== to.id)
      throw new EngineError(
        'invalid',
        `${treeText(from)} and ${treeText(to)} are apart: copy instead`,
      );
    const tree = await this.tree(from);
    await tree.stat(from.path);
    if (overwrite && (await exists(tree, to.path))) await tree.remove(to.path, { recursive: true });
    await tree.rename(from.path, to.path);
    this.tell([
      { address: from, what: 'deleted' },
      { address: to, what: 'created' },
    ]);
  }

  /** Images never change; of the others the engine decides file by file. */
  isReadOnly({ kind }: FileAddress): boolean {
    return kind === 'image';
  }

  /** The address as one of the active engine. */
  rooted(address: FileAddress): FileAddress {
    const engine = address.kind === 'volume' ? markOf(this.engines.active) : undefined;
    return engine === undefined ? address : { ...address, engine };
  }

  /** The tree that an address is in. Throws EngineError (unavailable) for a volume of an engine that is not the active one. */
  async tree(address: FileAddress): Promise<Tree> {
    const engine = await this.engines.ready();
    if (address.kind === 'volume' && address.engine !== markOf(engine))
      throw new EngineError(
        'unavailable',
        `${treeText(address)} is one of another engine than ${engine.entry.label}: choose that engine first`,
      );
    const held = this.trees.get(engine.client) ?? new Map<string, Promise<Tree>>();
    this.trees.set(engine.client, held);
    const key = `${address.kind}+${address.id}`;
    const known = held.get(key);
    if (known !== undefined) return known;
    const made = openTree(engine.client, address, {
      ...this.options,
      routes: engine.has('pinnace'),
      standIns: standInsOf(engine.client),
    });
    held.set(key, made);
    made.catch(() => held.delete(key));
    return made;
  }

  /** Says what was changed through the editor; changes from elsewhere are seen when they are looked for. */
  tell(changes: readonly FileChange[]): void {
    this.listeners.call(changes);
  }

  onDidChange(listener: (changes: readonly FileChange[]) => void): Listener {
    return this.listeners.add(listener);
  }
}

/** None of the bundled engine: its addresses are those of the past. */
function markOf({ entry }: Engine): string | undefined {
  if (entry.id === 'pinnace') return undefined;
  return createHash('sha256').update(entry.id).digest('hex').slice(0, 8);
}

async function exists(tree: Tree, path: string): Promise<boolean> {
  try {
    await tree.stat(path);
    return true;
  } catch (error) {
    if (kindOf(error) === 'not-found') return false;
    throw error;
  }
}

function sizeError(path: string, size: number): EngineError {
  const text = `${(size / 1e6).toFixed(0)} MB`;
  return new EngineError(
    'invalid',
    `${path} has ${text}; at most 64 MiB can be opened here. Download it instead.`,
  );
}
