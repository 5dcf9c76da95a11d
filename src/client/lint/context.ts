/**
 * Answers the linter's questions about a Dockerfile's build context from the disk: what COPY finds and what .dockerignore
 * leaves out. Which folder is the context is known when it is given, or when a devcontainer.json or compose file names it;
 * else it is the nearest one above the file that has most of its sources. Reads only; follows no links.
 */
import { dirname, join, resolve } from 'node:path';
import { type Disk, DISK } from '../build/disk.ts';
import { buildPlaces } from '../build/place.ts';
import { type Dockerignore, parseDockerignore } from '../../lib/dockerfile/dockerignore.ts';
import { contextSources } from '../../lib/dockerfile/lint/rules/files/context-sources.ts';
import type { ContextFacts } from '../../lib/dockerfile/lint/rule.ts';
import type { Dockerfile } from '../../lib/dockerfile/syntax.ts';

/** Above this many matches of one pattern the rest is not looked at. */
const MATCH_LIMIT = 10_000;

/** How many folders above the file may be the context. */
const HEIGHT_LIMIT = 12;

export interface ContextOptions {
  /** The build context, where it is known. */
  readonly context?: string;
  /** Default: the disk as it is. */
  readonly disk?: Disk;
}

/** The facts for a Dockerfile at a path and what it copies; undefined when no folder looks like its context. */
export function contextFacts(
  path: string,
  sources: readonly string[],
  { context, disk = DISK }: ContextOptions = {},
): ContextFacts | undefined {
  if (sources.length === 0) return undefined;
  const root = context === undefined ? findContext(path, sources, disk) : resolve(context);
  if (root === undefined) return undefined;
  const ignore = readIgnore(root, path, disk);
  const judged = new Map<string, 'found' | 'ignored' | 'absent'>();
  return {
    source: (pattern) => {
      const found = judged.get(pattern) ?? judge({ root, disk }, pattern, ignore);
      judged.set(pattern, found);
      return found;
    },
  };
}

/** The paths and patterns of the context that a file copies, each once. */
export function contextPaths({ stages }: Dockerfile): string[] {
  const found = new Set<string>();
  for (const { instructions } of stages) {
    for (const instruction of instructions) {
      if (instruction.kind !== 'COPY' && instruction.kind !== 'ADD') continue;
      for (const { path } of contextSources(instruction)) if (path !== '.') found.add(path);
    }
  }
  return [...found];
}

/** What a devcontainer.json or a compose file says is the context; else the folder that looks like it. */
function findContext(path: string, sources: readonly string[], disk: Disk): string | undefined {
  const said = buildPlaces(path, { disk }).filter(({ source }) => source !== undefined);
  const folders = new Set(said.map(({ context }) => context));
  // Several builds of one file: what one of them lacks, another may have.
  if (folders.size === 1) return said[0]?.context;
  return guessContext(path, sources, disk);
}

/** The folder with the most sources, the nearest of equals; it ends at the repository's root. */
function guessContext(path: string, sources: readonly string[], disk: Disk): string | undefined {
  let best: string | undefined;
  let most = 0;
  let folder = dirname(resolve(path));
  for (let height = 0; height < HEIGHT_LIMIT; height++) {
    const root = folder;
    const count = sources.filter((source) => matches({ root, disk }, source).length > 0).length;
    if (count > most) {
      best = root;
      most = count;
    }
    const above = dirname(folder);
    if (most === sources.length || disk.names(folder).includes('.git') || above === folder) break;
    folder = above;
  }
  return best;
}

function readIgnore(root: string, path: string, disk: Disk): Dockerignore {
  for (const candidate of [`${resolve(path)}.dockerignore`, join(root, '.dockerignore')]) {
    const text = disk.entry(candidate) === undefined ? undefined : disk.text(candidate);
    if (text !== undefined) return parseDockerignore(text);
  }
  return parseDockerignore('');
}

interface Root {
  readonly root: string;
  readonly disk: Disk;
}

function judge(root: Root, pattern: string, ignore: Dockerignore): 'found' | 'ignored' | 'absent' {
  if (pattern === '.') return 'found';
  const found = matches(root, pattern);
  if (found.length === 0) return 'absent';
  const kept = found.some(({ path, folder }) =>
    folder ? !ignore.prunes(path) : !ignore.matches(path),
  );
  return kept ? 'found' : 'ignored';
}

interface Match {
  readonly path: string;
  readonly folder: boolean;
}

/** The paths below a folder that a pattern (`*`, `?`, `[…]` within a name) stands for. */
function matches(root: Root, pattern: string): Match[] {
  const segments = pattern.split('/');
  let found: Match[] = [{ path: '', folder: true }];
  for (const segment of segments) {
    const next: Match[] = [];
    for (const { path, folder } of found) {
      if (!folder || next.length >= MATCH_LIMIT) continue;
      next.push(
        ...(/[*?[\\]/.test(segment) ? globbed(root, path, segment) : named(root, path, segment)),
      );
    }
    found = next;
  }
  return found;
}

function named({ root, disk }: Root, path: string, name: string): Match[] {
  const inner = path === '' ? name : `${path}/${name}`;
  const entry = disk.entry(join(root, inner));
  return entry === undefined ? [] : [{ path: inner, folder: entry.kind === 'folder' }];
}

function globbed({ root, disk }: Root, path: string, pattern: string): Match[] {
  const rule = parseDockerignore(pattern.startsWith('#') ? `\\${pattern}` : pattern);
  const names = disk.names(join(root, path)).filter((name) => rule.matches(name));
  return names.slice(0, MATCH_LIMIT).flatMap((name) => named({ root, disk }, path, name));
}
