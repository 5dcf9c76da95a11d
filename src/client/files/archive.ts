/**
 * Files of a container through what every engine has: its archive endpoints, and small programs inside the container
 * (find, stat, mv, rm) while it runs. Slower than `/pinnace/files`, and without deletion where nothing runs.
 *
 * A folder is listed by `find` and `stat`; where they are missing or nothing runs, by reading the folder's archive up
 * to a limit and taking what is right below it. A container that never runs may have a tool of ours beside it, which
 * is slow to start: then a small archive comes first.
 */

import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import type { PathStat } from '../../lib/api/containers.ts';
import type { FileEntry, FileList } from '../../lib/api/files.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { ContainersApi } from '../api/containers.ts';
import { listingOf, listCommand, typeOfGoMode } from './listing.ts';
import { type InsideAnswer, runInside } from './run-inside.ts';
import type { Header, NewHeader } from './tar.ts';
import { folderOf, joinPath, nameOf, type Signal, type Tree, type WriteContent } from './tree.ts';

/** Bytes of an archive that are read to list a folder of a container that does not run. */
const LISTING_LIMIT = 512 * 1024 * 1024;
/** The same where a tool can list it: about what is read while the tool starts. */
const SMALL_LISTING = 32 * 1024 * 1024;
const LINK_LIMIT = 16;
const PAGE = 1000;

export interface ArchiveTreeOptions {
  readonly containers: ContainersApi;
  /** The container's id. */
  readonly id: string;
  /** The folder that is this tree's root: where a volume is mounted in its stand-in. Links do not lead out of it. */
  readonly root?: string;
  /** Of a container that is never started. */
  readonly tool?: Tool | undefined;
}

/** A program of ours that works on the container's files from a container beside it: `find`, `stat`, `mv`, `rm`, `rmdir`. */
export interface Tool {
  /** Where it lies; its first word is the program's name. */
  readonly path: string;
  readonly run: (words: readonly string[], options: Signal) => Promise<InsideAnswer>;
}

export class ArchiveTree implements Tree {
  private readonly containers: ContainersApi;
  private readonly id: string;
  private readonly root: string;
  private readonly tool: Tool | undefined;
  private isPodman = false;

  constructor({ containers, id, root = '', tool }: ArchiveTreeOptions) {
    this.containers = containers;
    this.id = id;
    this.root = root;
    this.tool = tool;
  }

  async stat(path: string): Promise<FileEntry> {
    const stat = await this.look(this.inside(path));
    const entry = entryOfStat(stat, nameOf(path));
    if (entry.type !== 'symlink') return entry;
    const target = await this.follow(stat).catch(() => undefined);
    return target === undefined ? entry : { ...entry, targetType: typeOfGoMode(target.stat.mode) };
  }

  async list(
    path: string,
    options: { readonly after?: string; readonly limit?: number } & Signal = {},
  ): Promise<FileList> {
    const real = await this.resolve(path, options);
    const all = await this.listAll(real, options);
    all.sort((a, b) => (a.name < b.name ? -1 : 1));
    const { after, limit = PAGE } = options;
    const start = after === undefined ? 0 : all.findIndex(({ name }) => name > after);
    const entries = start < 0 ? [] : all.slice(start, start + limit);
    const isLast = start < 0 || start + limit >= all.length;
    return { entries, next: isLast ? null : (entries.at(-1)?.name ?? null) };
  }

  async read(path: string, options: Signal = {}): Promise<Readable> {
    const real = await this.resolve(path, options);
    const { tar } = await this.containers.archiveGet(this.id, real, options);
    return Readable.from(contentOf(tar, path), { objectMode: false });
  }

  async write(path: string, content: WriteContent, options: Signal = {}): Promise<void> {
    const real = await this.real(path, options);
    const old = await this.header(real, options);
    if (old?.type === 'directory') throw new EngineError('invalid', `${path} is a folder`);
    const owner = old ?? (await this.header(folderOf(real), options));
    const header: NewHeader = {
      name: nameOf(real),
      type: 'file',
      size: content.size,
      mode: old?.mode ?? content.mode ?? 0o644,
      uid: owner?.uid ?? 0,
      gid: owner?.gid ?? 0,
      mtime: new Date(),
    };
    const { archiveOf } = await import('./tar.ts');
    const tar = archiveOf(header, content.body);
    await this.containers.archivePut(this.id, folderOf(real), tar, options);
  }

  async makeFolder(path: string, options: Signal = {}): Promise<void> {
    if (await this.exists(path)) throw new EngineError('conflict', `${path} is there already`);
    const above = await this.resolve(folderOf(path), options);
    const owner = await this.header(above, options);
    const { archiveOf } = await import('./tar.ts');
    const { uid = 0, gid = 0 } = owner ?? {};
    const header: NewHeader = { name: nameOf(path), type: 'directory', mode: 0o755, uid, gid };
    const tar = archiveOf({ ...header, mtime: new Date() });
    await this.containers.archivePut(this.id, above, tar, options);
  }

  async rename(from: string, to: string, options: Signal = {}): Promise<void> {
    await this.stat(from);
    if (await this.exists(to)) throw new EngineError('conflict', `${to} is there already`);
    await this.run(['mv', '--', this.inside(from), this.inside(to)], 'move', options);
  }

  async remove(path: string, options: { readonly recursive: boolean } & Signal): Promise<void> {
    const { type } = await this.stat(path);
    const inside = this.inside(path);
    if (type !== 'directory') await this.run(['rm', '-f', '--', inside], 'delete', options);
    else if (options.recursive) await this.run(['rm', '-rf', '--', inside], 'delete', options);
    else {
      const { entries } = await this.list(path, { ...options, limit: 1 });
      if (entries.length > 0) throw new EngineError('conflict', `${path} is not empty`);
      await this.run(['rmdir', '--', inside], 'delete', options);
    }
  }

  /** Podman does not tell a link from what it leads to, and fills the target in for everything. */
  private async look(path: string): Promise<PathStat> {
    const stat = await this.containers.archiveStat(this.id, path);
    this.isPodman ||= typeOfGoMode(stat.mode) !== 'symlink' && stat.linkTarget !== '';
    return stat;
  }

  private inside(path: string): string {
    return this.root + path === '' ? '/' : this.root + path;
  }

  private async exists(path: string): Promise<boolean> {
    try {
      await this.look(this.inside(path));
      return true;
    } catch (error) {
      if (kindOf(error) === 'not-found') return false;
      throw error;
    }
  }

  /** The path inside the container that the last link of a path leads to. */
  private async resolve(
    path: string,
    options: Signal,
    { missing }: { readonly missing: 'throws' | 'is-itself' } = { missing: 'throws' },
  ): Promise<string> {
    options.signal?.throwIfAborted();
    const inside = this.inside(path);
    try {
      const stat = await this.look(inside);
      return typeOfGoMode(stat.mode) === 'symlink' ? (await this.follow(stat)).path : inside;
    } catch (error) {
      if (missing === 'is-itself' && kindOf(error) === 'not-found') return inside;
      throw error;
    }
  }

  /** The path that is written: what an archive has under a link's name would replace the link. */
  private async real(path: string, options: Signal): Promise<string> {
    const real = await this.resolve(path, options, { missing: 'is-itself' });
    const stat = await this.look(real).catch(() => undefined);
    if (stat === undefined || !this.isPodman) return real;
    let at = real;
    for (let step = 0; step < LINK_LIMIT; step++) {
      const folder = folderOf(at);
      const beside = await this.listArchive(folder, { ...options, limit: LISTING_LIMIT });
      if (beside === undefined) throw tooLarge(folder);
      const { target } = beside.find(({ name }) => name === nameOf(at)) ?? {};
      if (target === undefined) return at;
      at = posix.resolve(folder, target);
      if (!at.startsWith(`${this.root}/`)) break;
    }
    throw new EngineError('not-found', `the link ${nameOf(path)} leads nowhere`);
  }

  /** Engines resolve a link's target in the container; a link to a link is asked again. */
  private async follow(
    link: PathStat,
  ): Promise<{ readonly path: string; readonly stat: PathStat }> {
    let stat = link;
    let path = link.linkTarget;
    for (let step = 0; step < LINK_LIMIT; step++) {
      if (!path.startsWith(`${this.root}/`) && path !== this.root) break;
      stat = await this.look(path);
      if (typeOfGoMode(stat.mode) !== 'symlink') return { path, stat };
      path = stat.linkTarget;
    }
    throw new EngineError('not-found', `the link ${link.name} leads nowhere`);
  }

  private async listAll(path: string, options: Signal): Promise<FileEntry[]> {
    const archive = (limit: number): Promise<FileEntry[] | undefined> =>
      this.listArchive(path, { ...options, limit });
    const found =
      this.tool === undefined
        ? await this.listRunning(path, options)
        : ((await archive(SMALL_LISTING)) ?? (await this.listRunning(path, options)));
    const all = found ?? (await archive(LISTING_LIMIT));
    if (all === undefined) throw tooLarge(path);
    return all;
  }

  /** Undefined where nothing runs or the programs are missing. */
  private async listRunning(path: string, options: Signal): Promise<FileEntry[] | undefined> {
    const mark = randomBytes(8).toString('hex');
    const stat = this.tool === undefined ? ['stat'] : [this.tool.path, 'stat'];
    const answer = await this.program(listCommand(path, mark, { stat }), options).catch(
      (error: unknown) => {
        if (kindOf(error) === 'cancelled') throw error;
        return undefined;
      },
    );
    if (answer === undefined) return undefined;
    // find says 1 when a file went away while it looked: what it has found is right all the same.
    if (answer.status !== 0 && !answer.stdout.includes(mark)) return undefined;
    return listingOf(answer.stdout, mark);
  }

  private program(words: readonly string[], options: Signal): Promise<InsideAnswer> {
    if (this.tool !== undefined) return this.tool.run(words, options);
    return runInside(this.containers, this.id, words, options);
  }

  /** Undefined where the archive is larger than the limit. */
  private async listArchive(
    path: string,
    options: { readonly limit: number } & Signal,
  ): Promise<FileEntry[] | undefined> {
    const { stat, tar } = await this.containers.archiveGet(this.id, path, options);
    if (typeOfGoMode(stat.mode) !== 'directory') {
      tar.destroy();
      throw new EngineError('invalid', `${path} is no folder`);
    }
    const { headers } = await import('./tar.ts');
    let bytes = 0;
    tar.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > options.limit) tar.destroy(tooLarge(path));
    });
    const entries: FileEntry[] = [];
    try {
      let depth: number | undefined;
      for await (const header of headers(tar)) {
        const parts = partsOf(header.name);
        // The first entry is the folder itself, by its own name or, where it is a mount, by none.
        depth ??= path === '/' ? 0 : parts.length;
        const name = parts.length === depth + 1 ? parts[depth] : undefined;
        if (name !== undefined) entries.push(entryOfTar(header, name));
      }
    } catch (error) {
      if (bytes > options.limit) return undefined;
      throw error;
    }
    return Promise.all(entries.map((entry) => this.withTarget(path, entry)));
  }

  private async withTarget(folder: string, entry: FileEntry): Promise<FileEntry> {
    if (entry.type !== 'symlink') return entry;
    const path = joinPath(folder, entry.name);
    const stat = await this.look(path).catch(() => undefined);
    const target = stat === undefined ? undefined : await this.follow(stat).catch(() => undefined);
    return target === undefined ? entry : { ...entry, targetType: typeOfGoMode(target.stat.mode) };
  }

  /** What the archive says of a file: the mode and owner, which `stat` does not tell. */
  private async header(path: string, options: Signal): Promise<Header | undefined> {
    const answer = await this.containers
      .archiveGet(this.id, path, options)
      .catch((error: unknown) => {
        if (kindOf(error) === 'not-found') return undefined;
        throw error;
      });
    if (answer === undefined) return undefined;
    const { headers } = await import('./tar.ts');
    for await (const header of headers(answer.tar))
      return this.isPodman ? { ...header, ...(await this.owner(path, options)) } : header;
    return undefined;
  }

  /** Podman's archives name no owners. Where no program can tell them either, it is root. */
  private async owner(
    path: string,
    options: Signal,
  ): Promise<{ readonly uid?: number; readonly gid?: number }> {
    const words = ['stat', '-c', '%u %g', path];
    const answer = await this.program(words, options).catch((error: unknown) => {
      if (kindOf(error) === 'cancelled') throw error;
      return undefined;
    });
    const [, uid, gid] = /^(\d+) (\d+)\n$/.exec(answer?.stdout ?? '') ?? [];
    return uid === undefined || gid === undefined ? {} : { uid: Number(uid), gid: Number(gid) };
  }

  private async run(words: readonly string[], verb: string, options: Signal): Promise<void> {
    const answer = await this.program(words, options).catch((cause: unknown) => {
      if (kindOf(cause) === 'cancelled' || this.tool !== undefined) throw cause;
      throw new EngineError(
        'not-implemented',
        `this engine can ${verb} files only in a container that runs; start it first`,
        { cause },
      );
    });
    if (answer.status === 0) return;
    if (answer.status === 126 || answer.status === 127)
      throw new EngineError(
        'not-implemented',
        `the container has no program to ${verb} files with (${words[0] ?? ''})`,
      );
    const text = answer.stderr.trim().slice(0, 500);
    const kind = /permission|read-only|not permitted/i.test(text) ? 'forbidden' : 'conflict';
    throw new EngineError(kind, text === '' ? `could not ${verb} the file` : text);
  }
}

function tooLarge(path: string): EngineError {
  return new EngineError(
    'not-implemented',
    `${path} holds more than 512 MB: this engine lists so large a folder only while the container runs`,
  );
}

function entryOfStat(stat: PathStat, name: string): FileEntry {
  const type = typeOfGoMode(stat.mode);
  const entry: FileEntry = {
    name,
    type,
    size: stat.size,
    mode: stat.mode & 0o777,
    mtime: Date.parse(stat.mtime) || 0,
    uid: 0,
    gid: 0,
  };
  // Podman fills the target in for everything.
  return type === 'symlink' ? { ...entry, target: stat.linkTarget } : entry;
}

function partsOf(name: string): string[] {
  return name.split('/').filter((part) => part !== '' && part !== '.');
}

const TAR_TYPES: Readonly<Record<string, FileEntry['type']>> = {
  directory: 'directory',
  symlink: 'symlink',
  fifo: 'fifo',
  'character-device': 'character',
  'block-device': 'block',
};

function entryOfTar(header: Header, name: string): FileEntry {
  const { type, size, mode, uid, gid, mtime, linkname } = header;
  const entry: FileEntry = {
    name,
    type: TAR_TYPES[type] ?? 'file',
    size,
    mode: mode & 0o7777,
    mtime: mtime.getTime(),
    uid,
    gid,
  };
  return type === 'symlink' ? { ...entry, target: linkname } : entry;
}

/** The content of the one file of an archive. */
async function* contentOf(
  tar: Readable,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { entries } = await import('./tar.ts');
  for await (const { header, content } of entries(tar)) {
    if (header.type === 'directory')
      throw new EngineError('invalid', `${path} is a folder: it cannot be read as a file`);
    yield* content;
    return;
  }
}
