/** The editor's file system over the file store: turns its calls, types and errors into ours and back. Decides nothing itself. */
import * as vscode from 'vscode';
import type { FileEntry, FileType } from '../../lib/api/files.ts';
import { kindOf, messageOf } from '../../lib/errors.ts';
import { addressOf, type FileAddress, partsOf } from './address.ts';
import type { FileChange, FileStore } from './store.ts';

export class FilesProvider implements vscode.FileSystemProvider {
  private readonly store: FileStore;
  private readonly fired = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.fired.event;

  constructor(store: FileStore) {
    this.store = store;
    store.onDidChange((changes) => this.fired.fire(changes.flatMap(eventsOf)));
  }

  /** Only changes made in this window are told: engines have no events for files. */
  watch(): vscode.Disposable {
    return new vscode.Disposable(() => undefined);
  }

  stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    return this.mapped(uri, async (address) => {
      const entry = await this.store.stat(address);
      const readOnly = this.store.isReadOnly(address);
      return {
        type: typeOf(entry),
        ctime: 0,
        mtime: entry.mtime,
        size: entry.size,
        ...(readOnly ? { permissions: vscode.FilePermission.Readonly } : {}),
      };
    });
  }

  readDirectory(uri: vscode.Uri): Promise<[string, vscode.FileType][]> {
    return this.mapped(uri, async (address) =>
      (await this.store.readFolder(address)).map((entry) => [entry.name, typeOf(entry)]),
    );
  }

  readFile(uri: vscode.Uri): Promise<Uint8Array> {
    return this.mapped(uri, (address) => this.store.read(address));
  }

  writeFile(
    uri: vscode.Uri,
    content: Uint8Array,
    options: { readonly create: boolean; readonly overwrite: boolean },
  ): Promise<void> {
    return this.mapped(uri, (address) => this.store.write(address, content, options));
  }

  createDirectory(uri: vscode.Uri): Promise<void> {
    return this.mapped(uri, (address) => this.store.makeFolder(address));
  }

  delete(uri: vscode.Uri, options: { readonly recursive: boolean }): Promise<void> {
    return this.mapped(uri, (address) => this.store.remove(address, options));
  }

  rename(
    from: vscode.Uri,
    to: vscode.Uri,
    options: { readonly overwrite: boolean },
  ): Promise<void> {
    return this.mapped(from, (address) => this.store.rename(address, addressOf(to), options));
  }

  dispose(): void {
    this.fired.dispose();
  }

  private async mapped<T>(uri: vscode.Uri, work: (address: FileAddress) => Promise<T>): Promise<T> {
    try {
      return await work(addressOf(uri));
    } catch (error) {
      throw errorOf(error);
    }
  }
}

export function uriOf(address: FileAddress): vscode.Uri {
  return vscode.Uri.from(partsOf(address));
}

const TYPES: Readonly<Record<FileType, vscode.FileType>> = {
  file: vscode.FileType.File,
  directory: vscode.FileType.Directory,
  symlink: vscode.FileType.SymbolicLink,
  fifo: vscode.FileType.Unknown,
  socket: vscode.FileType.Unknown,
  character: vscode.FileType.Unknown,
  block: vscode.FileType.Unknown,
};

function typeOf({ type, targetType }: FileEntry): vscode.FileType {
  if (type !== 'symlink') return TYPES[type];
  const target = targetType === undefined ? vscode.FileType.Unknown : TYPES[targetType];
  return vscode.FileType.SymbolicLink | target;
}

const EVENTS: Readonly<Record<FileChange['what'], vscode.FileChangeType>> = {
  created: vscode.FileChangeType.Created,
  changed: vscode.FileChangeType.Changed,
  deleted: vscode.FileChangeType.Deleted,
};

function eventsOf({ address, what }: FileChange): vscode.FileChangeEvent[] {
  return [{ type: EVENTS[what], uri: uriOf(address) }];
}

function errorOf(error: unknown): vscode.FileSystemError {
  const message = messageOf(error);
  switch (kindOf(error)) {
    case 'not-found':
      return vscode.FileSystemError.FileNotFound(message);
    case 'conflict':
      return vscode.FileSystemError.FileExists(message);
    case 'forbidden':
    case 'unauthorized':
      return vscode.FileSystemError.NoPermissions(message);
    case 'invalid':
      return new vscode.FileSystemError(message);
    default:
      return vscode.FileSystemError.Unavailable(message);
  }
}
