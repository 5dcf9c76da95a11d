/** The VS Code Server of a container: brings it in where it is not mounted, and has it started by our program inside. */
import { existsSync, readFileSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { create } from 'tar';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { insideCommandAt, runJoined } from './dial.ts';
import type { Inside } from './exec.ts';
import type { LaunchAnswer, LaunchRequest } from './inside/launch.ts';
import { KIT, type Kit } from './kit.ts';

/** Whether the container has the kit already, with a VS Code Server where one is wanted. */
export async function hasKit(
  client: Client,
  container: string,
  { server }: { readonly server: boolean },
): Promise<boolean> {
  try {
    await client.containers.archiveStat(container, `${KIT}/ready`);
    if (server) await client.containers.archiveStat(container, `${KIT}/server/out/server-main.js`);
    return true;
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'not-found') return false;
    throw error;
  }
}

/** Copies kit and server into a container that was made without them: about 200 MB, once for each container. */
export async function copyKit(
  client: Client,
  container: string,
  kit: Kit,
  signal?: AbortSignal,
): Promise<void> {
  const put = (tar: Readable): Promise<void> =>
    client.containers.archivePut(container, '/', tar, signal === undefined ? {} : { signal });
  try {
    if (kit.server !== undefined)
      await put(pack(kit.server, `${KIT.slice(1)}/server`, (path) => isNeeded(path)));
    // `ready` comes with the last part: a copy that was cut short is made again.
    await put(pack(kit.folder, KIT.slice(1), (path) => path !== './server'));
  } catch (cause) {
    throw new EngineError(
      'unavailable',
      `the VS Code Server could not be copied into container ${container.slice(0, 12)}: ${messageOf(cause)}; make the container anew with Rebuild Container, which mounts it`,
      { cause },
    );
  }
}

/** A folder of this machine as an archive, below `prefix`. */
export function pack(cwd: string, prefix: string, filter: (path: string) => boolean): Readable {
  return Readable.from(create({ cwd, prefix, portable: true, filter, noDirRecurse: false }, ['.']));
}

/** Leftovers of builds, programs of other systems, what only compilers read, extensions for chat. */
const NEVER =
  /\.(?:map|exe|dll|pdb|lib|tsbuildinfo|o|c|cc|cpp|h)$|^\.\/node_modules\/.*\.d\.[cm]?ts$|\/(?:obj\.target|Release\/obj)\/|\/(?:win32|darwin)-|-musl\/|\/node_modules\/@github\/|\/extensions\/(?:copilot|github-copilot)/;
const OF_A_PROCESSOR = /\/linux-(x64|ia32|arm64|armhf|arm|ppc64|riscv64|s390x|loong64)(?=[/-]|$)/;

/** Whether a container on this processor needs a file of a server's folder, by its path `./…` there. */
export function isNeeded(path: string, arch: string = process.arch): boolean {
  if (NEVER.test(path)) return false;
  const processor = OF_A_PROCESSOR.exec(path)?.[1];
  return processor === undefined || processor === arch;
}

/** Starts the server, or finds it running; `program` is the folder inside of our program. Throws `unavailable` with what it said. */
export async function launchServer(
  client: Client,
  how: Omit<Inside, 'command'>,
  request: LaunchRequest,
  program: string = KIT,
): Promise<LaunchAnswer> {
  const complaints = new PassThrough();
  const said = text(complaints);
  const gallery = process.env['EXTENSIONS_GALLERY'];
  const { stream, exec } = await runJoined(client, how.container, {
    command: insideCommandAt(program, 'launch'),
    user: how.user,
    env: [...how.env, ...(gallery === undefined ? [] : [`EXTENSIONS_GALLERY=${gallery}`])],
    complaints,
  });
  stream.end(JSON.stringify(request));
  const answer = await text(stream);
  complaints.end();
  try {
    return JSON.parse(answer) as LaunchAnswer;
  } catch (cause) {
    const status = (await client.containers.execInspect(exec)).ExitCode ?? 0;
    const reason = (await said).trim() || answer.trim() || `status ${status}`;
    throw new EngineError(
      'unavailable',
      `the VS Code Server did not start in container ${how.container.slice(0, 12)}: ${reason}`,
      { cause },
    );
  }
}

/** Whether this folder holds a VS Code Server. */
export function isServer(appRoot: string): boolean {
  return existsSync(`${appRoot}/out/server-main.js`);
}

/** Whether its windows lead to ports by paths of their own (gate.ts), as code-server's do: they tell of them themselves. */
export function leadsToPorts(appRoot: string): boolean {
  try {
    const product = JSON.parse(readFileSync(`${appRoot}/product.json`, 'utf8')) as object;
    return 'codeServerVersion' in product;
  } catch {
    // Without a product it is no server that we know.
    return false;
  }
}
