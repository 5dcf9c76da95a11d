/**
 * The VS Code Servers of this machine, one for each commit: found where other extensions keep them, else downloaded once
 * into the user's data folder. A server has its name there only when it is whole: what was cut short is never used.
 */
import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { extract } from 'tar';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import { download } from './download.ts';
import {
  DOWNLOAD_SETTING,
  downloadAddress,
  type Product,
  readProduct,
  serverArch,
} from './product.ts';

export interface ServerOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The user's own address; `` for the editor's. */
  readonly template: string;
  /** The editor's own proxy; `` for those of the environment. */
  readonly proxy?: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** A server's folder with `node` and `out/server-main.js`, of exactly this commit. Throws `unavailable` naming the address and the setting. */
export async function provideServer(product: Product, options: ServerOptions): Promise<string> {
  const found = findServer(product, options.env);
  if (found !== undefined) return found;
  const address = downloadAddress(product, process.arch, options.template);
  const store = serversFolder(options.env);
  await mkdir(store, { recursive: true, mode: 0o755 });
  await sweep(store);
  const work = await mkdtemp(join(store, `new-${process.pid}-`));
  try {
    options.say(`downloading the VS Code Server ${product.version} from ${address.host}`);
    const archive = join(work, 'server.tar.gz');
    await download(address, archive, options);
    const folder = join(work, 'server');
    await unpack(archive, folder);
    requireServer(folder, product, address);
    return await publish(folder, join(store, nameOf(product)), product);
  } catch (error) {
    throw explained(error, address);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** One that is on this machine already; undefined: none. */
export function findServer(product: Product, env: NodeJS.ProcessEnv): string | undefined {
  const places = [join(serversFolder(env), nameOf(product))];
  if (product.serverDataFolder !== undefined && /^\.?[\w.-]+$/.test(product.serverDataFolder)) {
    const data = join(env['HOME'] ?? homedir(), product.serverDataFolder);
    const title = product.quality.charAt(0).toUpperCase() + product.quality.slice(1);
    places.push(
      join(data, 'bin', product.commit),
      join(data, 'cli', 'servers', `${title}-${product.commit}`, 'server'),
    );
  }
  return places.find((place) => whyNot(place, product) === undefined);
}

/** `$XDG_DATA_HOME/pinnace-servers`: not the engine's root, which is thrown away with all that the engine has. */
export function serversFolder(env: NodeJS.ProcessEnv): string {
  const chosen = env['XDG_DATA_HOME'];
  const base =
    chosen !== undefined && chosen !== ''
      ? chosen
      : join(env['HOME'] ?? homedir(), '.local', 'share');
  return join(base, 'pinnace-servers');
}

function nameOf(product: Product): string {
  return `${product.quality}-${product.commit}-${serverArch(process.arch)}`;
}

/** What keeps a folder from being this server. */
function whyNot(folder: string, product: Product): string | undefined {
  const missing = ['node', join('out', 'server-main.js'), 'product.json'].find(
    (file) => !existsSync(join(folder, file)),
  );
  if (missing !== undefined) return `it has no ${missing}`;
  try {
    const { commit } = readProduct(folder);
    return commit === product.commit ? undefined : `it is of commit ${commit}`;
  } catch (error) {
    return messageOf(error);
  }
}

function requireServer(folder: string, product: Product, address: URL): void {
  const why = whyNot(folder, product);
  if (why === undefined) return;
  throw new EngineError(
    'unavailable',
    `${address.href} is not the VS Code Server of commit ${product.commit}: ${why}`,
  );
}

/** Containers of any user read it. */
async function unpack(archive: string, folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o755 });
  try {
    await extract({ file: archive, cwd: folder, strip: 1, umask: 0o022, strict: true });
  } catch (cause) {
    throw new EngineError('unavailable', `the archive is broken: ${messageOf(cause)}`, { cause });
  }
  await chmod(folder, 0o755);
}

async function publish(folder: string, place: string, product: Product): Promise<string> {
  try {
    await rename(folder, place);
  } catch (error) {
    // Another window was faster; what lies there broken is put aside.
    if (whyNot(place, product) === undefined) return place;
    if (!existsSync(place)) throw error;
    await rm(place, { recursive: true, force: true });
    await rename(folder, place);
  }
  return place;
}

/** Removes what processes left that were killed in the middle. */
async function sweep(store: string): Promise<void> {
  for (const name of readdirSync(store)) {
    const pid = /^new-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      await rm(join(store, name), { recursive: true, force: true });
  }
}

function explained(error: unknown, address: URL): unknown {
  if (kindOf(error) === 'cancelled' || !(error instanceof Error)) return error;
  return new EngineError(
    'unavailable',
    `the VS Code Server could not be had from ${address.href}: ${messageOf(error)}; where that address cannot be reached, name another one in ${DOWNLOAD_SETTING}, or use another way in (pinnace.devcontainer.open)`,
    { cause: error },
  );
}
