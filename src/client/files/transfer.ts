/**
 * Copies files and folders between a tree and the disk. What comes from a tree is made anew below one folder, never
 * through a link and never over something that is there; what a tree's names may not be, is refused.
 */

import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, opendir, stat, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { FileEntry } from '../../lib/api/files.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import { isReachable, joinPath, listAll, nameOf, type Tree } from './tree.ts';

export interface Transfer {
  readonly signal: AbortSignal;
  /** Called for each file, with its name. */
  readonly onFile: (name: string) => void;
}

export interface Transferred {
  readonly files: number;
  /** What was left out, with the reason: devices, sockets, names that cannot be written. */
  readonly left: readonly string[];
}

/** Copies `path` to `target`, which must not be there. Throws EngineError, and the disk's own errors. */
export async function download(
  tree: Tree,
  path: string,
  target: string,
  transfer: Transfer,
): Promise<Transferred> {
  const entry = await tree.stat(path, transfer);
  const type = entry.type === 'symlink' ? entry.targetType : entry.type;
  const left: string[] = [];
  const counter = { files: 0 };
  const top: FileEntry = { ...entry, type: type ?? entry.type };
  await copyOut({ tree, transfer, left, counter }, path, target, top);
  return { files: counter.files, left };
}

interface Job {
  readonly tree: Tree;
  readonly transfer: Transfer;
  readonly left: string[];
  readonly counter: { files: number };
}

async function copyOut(job: Job, path: string, target: string, entry: FileEntry): Promise<void> {
  const { tree, transfer } = job;
  transfer.signal.throwIfAborted();
  if (entry.type === 'directory') {
    await mkdir(target);
    for await (const child of listAll(tree, path, transfer)) {
      const below = joinPath(path, child.name);
      if (isReachable(child.name)) await copyOut(job, below, join(target, child.name), child);
      else job.left.push(`${below} (its name cannot be written)`);
    }
  } else if (entry.type === 'file') {
    transfer.onFile(nameOf(path));
    const content = await tree.read(path, transfer);
    const options = { flags: 'wx', mode: entry.mode & 0o777 } as const;
    await pipeline(content, createWriteStream(target, options), { signal: transfer.signal });
    job.counter.files += 1;
  } else if (
    entry.type === 'symlink' &&
    entry.target !== undefined &&
    !entry.target.includes('\0')
  ) {
    await symlink(entry.target, target);
    job.counter.files += 1;
  } else job.left.push(`${path} (a ${entry.type})`);
}

/** Copies a file or folder of the disk into a folder of the tree; files that are there are written anew. */
export async function upload(
  tree: Tree,
  source: string,
  folder: string,
  transfer: Transfer,
): Promise<Transferred> {
  const job: Job = { tree, transfer, left: [], counter: { files: 0 } };
  await copyIn(job, source, joinPath(folder, basename(source)));
  return { files: job.counter.files, left: job.left };
}

async function copyIn(job: Job, source: string, path: string): Promise<void> {
  const { tree, transfer } = job;
  transfer.signal.throwIfAborted();
  const facts = await stat(source);
  if (facts.isDirectory()) {
    await makeFolder(tree, path, transfer.signal);
    for await (const child of await opendir(source)) {
      // A link may lead back to a folder above: the tree would never end.
      if (child.isSymbolicLink()) job.left.push(`${join(source, child.name)} (a link)`);
      else await copyIn(job, join(source, child.name), joinPath(path, child.name));
    }
  } else if (facts.isFile()) {
    transfer.onFile(nameOf(path));
    const body = createReadStream(source, { end: Math.max(0, facts.size - 1) });
    await tree.write(path, { body, size: facts.size, mode: facts.mode & 0o777 }, transfer);
    job.counter.files += 1;
  } else job.left.push(`${source} (no file or folder)`);
}

async function makeFolder(tree: Tree, path: string, signal: AbortSignal): Promise<void> {
  try {
    await tree.makeFolder(path, { signal });
  } catch (error) {
    if (kindOf(error) !== 'conflict') throw error;
    const { type, targetType } = await tree.stat(path);
    if (type !== 'directory' && targetType !== 'directory')
      throw new EngineError('conflict', `${path} is there already and no folder`, { cause: error });
  }
}
