/**
 * The kit: a folder of this machine with what the VS Code Server needs inside any container: Node with its own loader
 * and libraries, a static shell, and our program. Made once per Node and kept in the user's cache; it is only ever read by containers.
 */
import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { MountRequest } from '../../lib/api/containers.ts';
import { EngineError } from '../../lib/errors.ts';
import { interpreterOf, relocate } from './elf.ts';

/** Where it is inside containers. The loader's name must be short: see elf.ts. */
export const KIT = '/.pinnace';
export const KIT_SHELL = `${KIT}/bin/sh`;
/** The label with the digest of the kit and server that a container was made with. */
export const KIT_LABEL = 'org.pinnace.kit';

export interface KitSources {
  /** The folder with `out/server-main.js`; undefined: a kit without a VS Code Server. */
  readonly server: string | undefined;
  /** The Node that runs it. */
  readonly node: string;
  /** Our program for the inside (the bundle of inside/). */
  readonly inside: string;
  /** A static busybox; undefined when there is none: containers without a shell then stay without. */
  readonly busybox: string | undefined;
}

export interface Kit {
  readonly folder: string;
  readonly server: string | undefined;
  /** Changes with anything in it. */
  readonly digest: string;
  readonly shell: boolean;
}

/** Beside what the program itself names: what the server's native modules and name look-ups load. */
const MORE_LIBRARIES = [
  'libutil.so.1',
  'librt.so.1',
  'libresolv.so.2',
  'libnss_files.so.2',
  'libnss_dns.so.2',
  'libatomic.so.1',
];

/** Finds or makes the kit. Throws `unavailable` naming what is missing. */
export async function makeKit(
  sources: KitSources,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Kit> {
  if (sources.server !== undefined && !existsSync(join(sources.server, 'out', 'server-main.js')))
    throw new EngineError(
      'unavailable',
      `${sources.server} holds no VS Code Server (out/server-main.js)`,
    );
  const parts = [sources.node, sources.inside, sources.busybox].map((path) => {
    if (path === undefined) return '-';
    const { size, mtimeMs } = statSync(path);
    return `${path} ${size} ${mtimeMs}`;
  });
  const name = createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
  const digest = createHash('sha256')
    .update(`${name} ${sources.server ?? ''}`)
    .digest('hex')
    .slice(0, 16);
  const cache = join(cacheFolder(env), 'kits');
  const folder = join(cache, name);
  const kit = { folder, server: sources.server, digest, shell: sources.busybox !== undefined };
  if (existsSync(join(folder, 'ready'))) return kit;
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'new-'));
  try {
    await fill(work, sources);
    await rename(work, folder).catch(async (error: unknown) => {
      // Another window was faster.
      if (!existsSync(join(folder, 'ready'))) throw error;
      await rm(work, { recursive: true, force: true });
    });
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    throw error;
  }
  return kit;
}

/** The two read-only mounts by which a new container gets the kit. */
export function kitMounts(kit: Kit): MountRequest[] {
  const mounts: MountRequest[] = [
    { Type: 'bind', Source: kit.folder, Target: KIT, ReadOnly: true },
  ];
  if (kit.server !== undefined)
    mounts.push({ Type: 'bind', Source: kit.server, Target: `${KIT}/server`, ReadOnly: true });
  return mounts;
}

async function fill(work: string, sources: KitSources): Promise<void> {
  await chmod(work, 0o755);
  for (const dir of ['lib', 'bin', 'server']) await mkdir(join(work, dir), { mode: 0o755 });
  const program = await readFile(sources.node);
  const loader = interpreterOf(program);
  if (loader !== undefined) {
    await copyFile(loader, join(work, 'ld'));
    await chmod(join(work, 'ld'), 0o755);
    for (const library of await librariesOf(sources.node))
      await copyFile(library, join(work, 'lib', basename(library)));
    relocate(program, { loader: `${KIT}/ld`, libraries: `${KIT}/lib` });
  }
  await writeFile(join(work, 'node'), program, { mode: 0o755 });
  await copyFile(sources.inside, join(work, 'inside.mjs'));
  await chmod(join(work, 'inside.mjs'), 0o644);
  if (sources.busybox !== undefined) await addShell(work, sources.busybox);
  await writeFile(join(work, 'ready'), '');
}

async function addShell(work: string, busybox: string): Promise<void> {
  await copyFile(busybox, join(work, 'busybox'));
  await chmod(join(work, 'busybox'), 0o755);
  const { stdout } = await promisify(execFile)(busybox, ['--list']);
  const applets = stdout.split('\n').filter((name) => /^[\w[\]-]+$/.test(name));
  await Promise.all(applets.map((applet) => symlink('../busybox', join(work, 'bin', applet))));
}

/** The libraries that the machine's loader finds for a program, and those of its folder that native modules want. */
async function librariesOf(program: string): Promise<string[]> {
  const loader = interpreterOf(await readFile(program)) ?? '';
  const { stdout } = await promisify(execFile)(loader, ['--list', program]).catch(
    (cause: unknown) => {
      throw new EngineError('unavailable', `${loader} does not tell the libraries of ${program}`, {
        cause,
      });
    },
  );
  const found = [...stdout.matchAll(/=>\s+(\/\S+)/g)].map((match) => match[1] ?? '');
  const libc = found.find((path) => basename(path).startsWith('libc.so'));
  if (libc === undefined)
    throw new EngineError(
      'unavailable',
      `${program} does not run on glibc here: the VS Code Server cannot be brought into containers`,
    );
  const beside = MORE_LIBRARIES.map((name) => join(dirname(libc), name)).filter((path) =>
    existsSync(path),
  );
  return [...new Set([...found, ...beside])];
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  const chosen = env['XDG_CACHE_HOME'];
  const base =
    chosen !== undefined && chosen !== '' ? chosen : join(env['HOME'] ?? homedir(), '.cache');
  return join(base, 'pinnace');
}
