/**
 * Owns what is wrong in the workspace's Dockerfiles that are not open: each is judged once, and again when it or what it
 * is judged by has changed. It reads files and writes none; how a text is judged is its caller's.
 */
import { lstat } from 'node:fs/promises';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Diagnostic, FileEvent } from 'vscode-languageserver/node';
import { FileChangeType } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { isRecord } from '../../src/lib/record.ts';
import { isDockerfileName } from '../../src/client/lint/files.ts';
import { pathOf } from './paths.ts';
import { dockerfilesBelow, isSearched, readDockerfile } from './workspace.ts';

/** What is wrong in a file. */
export interface Judged {
  /** Another one when there is something else to show. */
  readonly resultId: string;
  readonly items: readonly Diagnostic[];
}

export interface JudgedFilesOptions {
  /** The addresses of the folders that are searched. */
  readonly folders: () => readonly string[];
  /** Of a text that is not open; to be called for one after the other. */
  readonly judge: (document: TextDocument) => Promise<readonly Diagnostic[]>;
  /** Changes are told by `changed`; else the disk is looked at again. */
  readonly isWatched: () => boolean;
  /** Told once when there is more than is read or kept. */
  readonly onFull: (message: string) => void;
  /** Default: `LIMITS`. */
  readonly limits?: Limits;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

/** What one workspace may cost, however hostile it is. */
export interface Limits {
  readonly files: number;
  /** Of one file that is not open; longer ones are generated, not written. */
  readonly size: number;
  /** Of all files. */
  readonly bytes: number;
  /** Problems of one file, and of all. */
  readonly items: number;
  readonly allItems: number;
}

const LIMITS: Limits = {
  files: 10_000,
  size: 256 * 1024,
  bytes: 64 * 1024 * 1024,
  items: 1000,
  allItems: 100_000,
};

interface Entry extends Judged {
  /** Of the file that was read. */
  readonly stamp: string;
  readonly size: number;
  readonly epoch: number;
  /** The file may have changed. */
  isDoubted: boolean;
  /** … or something else, or it was read so soon after it was written that another change may have the same stamp. */
  isStale: boolean;
}

/** Milliseconds for which the disk is believed at least, and how much longer than a search takes. */
const BELIEF = { least: 2000, factor: 20 };
/** Where it is watched: of a folder that goes, editors tell nothing about the files in it. */
const WATCHED_BELIEF = { least: 30_000, factor: 100 };
/** Milliseconds in which a disk may give two changes the same time. */
const CLOCK_TICK = 20;

/** What depends on files that nobody watches. */
const ABOUT_OTHERS = new Set(['CopySourceMissing', 'CopyIgnoredFile']);

export class JudgedFiles {
  private readonly options: JudgedFilesOptions;
  private readonly known = new Map<string, Entry>();
  /** What is being read; true: and has changed meanwhile. */
  private readonly reading = new Map<string, boolean>();
  private list: Set<string> | undefined;
  private listed = { at: 0, took: 0 };
  private readonly limits: Limits;
  private readonly now: () => number;
  /** Of all that is known. */
  private total = { bytes: 0, items: 0 };
  private isFull = false;
  private epoch = 0;
  /** How often the list was given up. */
  private losses = 0;
  private count = 0;

  constructor(options: JudgedFilesOptions) {
    this.options = options;
    this.limits = options.limits ?? LIMITS;
    this.now = options.now ?? (() => performance.now());
  }

  /** Files changed on the disk, or none but the folders; undefined: anything may have, the settings too. */
  changed(files: readonly FileEvent[] | undefined): void {
    if (files === undefined) {
      this.epoch += 1;
      this.lose();
      return;
    }
    if (files.length === 0) this.lose();
    for (const { uri, type } of files) {
      const path = pathOf(uri);
      if (path === undefined) continue;
      if (type !== FileChangeType.Deleted) this.add(path);
      this.doubt(path);
    }
  }

  /** One that is gone stays in the list until the next search, as it is often there again at once. */
  private add(path: string): void {
    const { list, limits, options } = this;
    if (list?.has(path) === true) return;
    // A search that is under way may be past it.
    this.losses += 1;
    if (list === undefined || list.size >= limits.files) return;
    if (isSearched(path, options.folders())) list.add(path);
  }

  /** Everything is to be judged again, of the same files. */
  renew(): void {
    this.epoch += 1;
  }

  /** What was found of files that nobody watches is looked at again. */
  doubtOthers(): void {
    for (const entry of this.known.values()) {
      if (!entry.items.some(({ code }) => ABOUT_OTHERS.has(String(code)))) continue;
      entry.isDoubted = true;
      entry.isStale = true;
    }
  }

  /** Forgets all, for as long as nobody asks. */
  clear(): void {
    this.changed(undefined);
    for (const path of [...this.known.keys()]) this.put(path, undefined);
    this.isFull = false;
  }

  /** The paths of the workspace's Dockerfiles; those found so far when it is stopped. */
  async paths(isStopped: () => boolean): Promise<ReadonlySet<string>> {
    const now = this.now();
    const { at, took } = this.listed;
    const { least, factor } = this.options.isWatched() ? WATCHED_BELIEF : BELIEF;
    const isOld = now - at > Math.max(least, factor * took);
    if (this.list !== undefined && !isOld) return this.list;
    const found = new Set<string>();
    const { losses } = this;
    const search = { isStopped, limit: this.limits.files };
    for await (const path of dockerfilesBelow(this.options.folders(), search)) found.add(path);
    if (isStopped() || losses !== this.losses) return found;
    const end = this.now();
    this.list = found;
    this.listed = { at: end, took: end - now };
    this.keepOnly(found, { doubt: isOld });
    return found;
  }

  /** What is wrong in a file; undefined when there is none, or it cannot be read. */
  async of(path: string): Promise<Judged | undefined> {
    const known = this.known.get(path);
    if (known?.epoch === this.epoch && !known.isDoubted) return known;
    this.reading.set(path, false);
    const entry = await this.look(path, known);
    const isDoubted = this.reading.get(path) === true;
    this.put(path, entry === undefined ? undefined : { ...entry, isDoubted });
    this.reading.delete(path);
    return entry;
  }

  private put(path: string, entry: Entry | undefined): void {
    const { total } = this;
    const old = this.known.get(path);
    total.bytes += (entry?.size ?? 0) - (old?.size ?? 0);
    total.items += (entry?.items.length ?? 0) - (old?.items.length ?? 0);
    if (entry === undefined) this.known.delete(path);
    else this.known.set(path, entry);
  }

  /** Whether a file may be read beside the others. */
  private hasRoom(size: number, known: Entry | undefined): boolean {
    const { limits, total } = this;
    if (size > limits.size) return false;
    const fits = total.bytes - (known?.size ?? 0) + size <= limits.bytes;
    if (!fits) this.complain(`${String(limits.bytes)} bytes of Dockerfiles`);
    return fits;
  }

  private complain(most: string): void {
    if (this.isFull) return;
    this.isFull = true;
    this.options.onFull(
      `the workspace has more than ${most}: problems of the others are shown when they are opened`,
    );
  }

  private async look(path: string, known: Entry | undefined): Promise<Entry | undefined> {
    const facts = await lstat(path).catch(() => undefined);
    if (facts?.isFile() !== true) return undefined;
    const { epoch } = this;
    const { ino, size, mtimeMs, ctimeMs } = facts;
    const stamp = [ino, size, mtimeMs, ctimeMs].join(' ');
    if (known?.epoch === epoch && known.stamp === stamp && !known.isStale) return known;
    if (!this.hasRoom(size, known)) return undefined;
    const isStale = Date.now() - ctimeMs < CLOCK_TICK;
    const text = await readDockerfile(path);
    if (text === undefined) return undefined;
    const document = TextDocument.create(pathToFileURL(path).href, 'dockerfile', 0, text);
    const items = this.kept(await this.options.judge(document), known);
    const isSame = known !== undefined && JSON.stringify(known.items) === JSON.stringify(items);
    const resultId = isSame ? known.resultId : `disk.${String(++this.count)}`;
    return { resultId, items, stamp, size, isStale, epoch, isDoubted: false };
  }

  private kept(items: readonly Diagnostic[], known: Entry | undefined): readonly Diagnostic[] {
    const { limits, total } = this;
    const room = limits.allItems - total.items + (known?.items.length ?? 0);
    if (items.length > room) this.complain(`${String(limits.allItems)} problems`);
    return items.slice(0, Math.max(0, Math.min(limits.items, room)));
  }

  private lose(): void {
    this.list = undefined;
    this.losses += 1;
  }

  private doubt(path: string): void {
    const entry = this.known.get(path);
    if (entry !== undefined) entry.isDoubted = true;
    if (this.reading.has(path)) this.reading.set(path, true);
  }

  private keepOnly(kept: ReadonlySet<string>, { doubt }: { readonly doubt: boolean }): void {
    for (const [path, entry] of this.known) {
      if (!kept.has(path)) this.put(path, undefined);
      else if (doubt) entry.isDoubted = true;
    }
  }
}

/** The changes of watched files when all are of Dockerfiles; undefined when anything may have changed. */
export function onlyDockerfiles(changes: unknown): readonly FileEvent[] | undefined {
  if (!Array.isArray(changes) || changes.length === 0) return undefined;
  const found: FileEvent[] = [];
  for (const change of changes as readonly unknown[]) {
    if (!isRecord(change)) return undefined;
    const { uri, type } = change;
    const path = typeof uri === 'string' ? pathOf(uri) : undefined;
    if (path === undefined || !isDockerfileName(basename(path))) return undefined;
    const known = ([1, 2, 3] as const).find((each) => each === type) ?? FileChangeType.Created;
    found.push({ uri: String(uri), type: known });
  }
  return found;
}
