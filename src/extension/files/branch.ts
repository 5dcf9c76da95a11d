/** The rows "Files" below containers, images and volumes, and the folders and files below them, page by page. Pure but for the store it asks. */
import { isReachable } from '../../client/files/tree.ts';
import type { FileEntry } from '../../lib/api/files.ts';
import { sizeText } from '../../lib/text/amounts.ts';
import type { Listener } from '../engine/engines.ts';
import type { FileNode, Node } from '../views/nodes.ts';
import { type Branch, Listeners, type Row } from '../views/row.ts';
import { above, addressText, below, type FileAddress, parseAddressText } from './address.ts';
import type { FileStore } from './store.ts';

/** The row behind a folder that goes on. */
export interface MoreFiles {
  readonly kind: 'moreFiles';
  readonly folder: FileNode;
}

export type FileElement = FileNode | MoreFiles;

interface Folder {
  readonly entries: FileEntry[];
  next: string | null;
}

export class FilesBranch implements Branch<FileElement> {
  readonly beneath = ['container', 'image', 'volume'] as const;
  private readonly store: FileStore;
  private readonly folders = new Map<string, Folder>();
  private readonly known = new WeakMap<FileElement, FileNode | undefined>();
  /** By what they are shown below, and by address. */
  private readonly nodes = new Map<string, Map<string, FileNode>>();
  private readonly listeners = new Listeners<readonly (FileElement | Node)[]>();

  constructor(store: FileStore) {
    this.store = store;
    store.onDidChange((changes) => {
      for (const { address } of changes) this.refresh(address, { with: 'its folder' });
    });
  }

  owns(element: object): element is FileElement {
    return this.known.has(element as FileElement);
  }

  roots(node: Node): readonly FileElement[] {
    const own = addressOfNode(node);
    if (own === undefined) return [];
    const address = this.store.rooted(own);
    const entry: FileEntry = {
      name: '/',
      type: 'directory',
      size: 0,
      mode: 0,
      mtime: 0,
      uid: 0,
      gid: 0,
    };
    this.folders.delete(addressText(address));
    const under = node.kind === 'image' ? node.reference : '';
    return [this.node({ address, entry, under, parent: undefined })];
  }

  async children(element: FileElement): Promise<readonly FileElement[]> {
    if (element.kind !== 'file') return [];
    const address = parseAddressText(element.uri);
    const folder = this.folders.get(element.uri) ?? (await this.load(element, undefined));
    const nodes: FileElement[] = [...folder.entries].sort(order).map((entry) =>
      this.node({
        address: below(address, entry.name),
        entry,
        under: element.under,
        parent: element,
      }),
    );
    if (folder.next === null) return nodes;
    const more: MoreFiles = { kind: 'moreFiles', folder: element };
    this.known.set(more, element);
    return [...nodes, more];
  }

  parent(element: FileElement): FileElement | undefined {
    return this.known.get(element);
  }

  row(element: FileElement): Row {
    return element.kind === 'moreFiles' ? moreRow(element) : fileRow(element);
  }

  onDidChange(listener: (changed: readonly (FileElement | Node)[]) => void): Listener {
    return this.listeners.add(listener);
  }

  /** Shows the next page of a folder. */
  async more(uri: string): Promise<void> {
    const folder = this.folders.get(uri);
    const nodes = this.shown(uri);
    const [node] = nodes;
    if (node === undefined || folder?.next == null) return;
    await this.load(node, folder);
    this.listeners.call(nodes);
  }

  /** Forgets what was read of a folder, or of the folder that a file is in, and shows it anew. */
  refresh(address: FileAddress, options: { readonly with: 'itself' | 'its folder' }): void {
    const folder = options.with === 'itself' ? address : above(address);
    const text = addressText(folder);
    for (const key of [...this.folders.keys()])
      if (
        key === text ||
        (options.with === 'itself' && key.startsWith(`${text.replace(/\/$/, '')}/`))
      )
        this.folders.delete(key);
    const nodes = this.shown(text);
    if (nodes.length > 0) this.listeners.call(nodes);
  }

  private shown(uri: string): FileNode[] {
    return [...(this.nodes.get(uri)?.values() ?? [])];
  }

  private async load(node: FileNode, held: Folder | undefined): Promise<Folder> {
    const page = await this.store.page(parseAddressText(node.uri), held?.next ?? undefined);
    const folder: Folder = {
      entries: [...(held?.entries ?? []), ...page.entries],
      next: page.next,
    };
    this.folders.set(node.uri, folder);
    return folder;
  }

  /** The same object for the same file, for as long as it stays what it is. */
  private node({ address, entry, under, parent }: NewNode): FileNode {
    const uri = addressText(address);
    const type = parent === undefined ? 'root' : typeOf(entry);
    const rows = this.nodes.get(uri) ?? new Map<string, FileNode>();
    const held = rows.get(under);
    const made: FileNode = {
      kind: 'file',
      uri,
      of: address.kind,
      under,
      path: address.path,
      name: entry.name,
      type,
      size: entry.size,
      ...(entry.target === undefined ? {} : { target: entry.target }),
    };
    const isSame = held?.type === type && held.size === entry.size && held.target === entry.target;
    const node = isSame ? held : made;
    rows.set(under, node);
    this.nodes.set(uri, rows);
    this.known.set(node, parent);
    return node;
  }
}

interface NewNode {
  readonly address: FileAddress;
  readonly entry: FileEntry;
  readonly under: string;
  readonly parent: FileNode | undefined;
}

/** Where the files of a container, an image or a volume are. */
export function addressOfNode(node: Node): FileAddress | undefined {
  if (node.kind === 'container') return { kind: 'container', id: node.id, path: '/' };
  if (node.kind === 'devcontainer') return { kind: 'container', id: node.id, path: '/' };
  if (node.kind === 'image') return { kind: 'image', id: node.id, path: '/' };
  if (node.kind === 'volume') return { kind: 'volume', id: node.name, path: '/' };
  return undefined;
}

function typeOf({ name, type, targetType }: FileEntry): FileNode['type'] {
  if (!isReachable(name)) return 'other';
  const real = type === 'symlink' ? targetType : type;
  return real === 'file' || real === 'directory' ? real : 'other';
}

function order(a: FileEntry, b: FileEntry): number {
  const rank = (entry: FileEntry): number => (typeOf(entry) === 'directory' ? 0 : 1);
  return rank(a) - rank(b) || (a.name < b.name ? -1 : 1);
}

const WORDS = { root: 'files', directory: 'folder', file: 'file', other: 'special file' } as const;

function fileRow(node: FileNode): Row {
  const { type, name, uri, target, of, under } = node;
  const isFolder = type === 'root' || type === 'directory';
  const label = type === 'root' ? 'Files' : shown(name);
  const size = type === 'file' && target === undefined ? sizeText(node.size) : undefined;
  const description = target === undefined ? size : `→ ${shown(target)}`;
  const icon =
    type === 'root' ? 'files' : isFolder ? 'folder' : type === 'file' ? 'file' : 'symbol-misc';
  const row: Row = {
    id: under === '' ? uri : `${under} ${uri}`,
    label,
    icon: { name: icon },
    context: `file ${type} ${of} ${of === 'image' ? 'readonly' : 'writable'}`,
    fold: isFolder ? 'closed' : 'leaf',
    accessible: `${WORDS[type]} ${type === 'root' ? `of the ${of}` : label}${description === undefined ? '' : `, ${description}`}`,
    ...(description === undefined ? {} : { description }),
  };
  if (type !== 'file') return row;
  return { ...row, command: { id: 'pinnace.file.open', title: 'Open', arguments: [node] } };
}

function moreRow({ folder }: MoreFiles): Row {
  return {
    id: `more/${folder.under}/${folder.uri}`,
    label: 'Show More Files',
    icon: { name: 'ellipsis' },
    context: 'moreFiles',
    fold: 'leaf',
    accessible: `show more files of ${folder.path}`,
    command: { id: 'pinnace.file.more', title: 'Show More Files', arguments: [folder] },
  };
}

/** Control characters as their pictures: a name cannot break a row. */
function shown(name: string): string {
  return name.replace(/[\u0000-\u001F]/g, (char) =>
    String.fromCharCode(0x2400 + char.charCodeAt(0)),
  );
}
