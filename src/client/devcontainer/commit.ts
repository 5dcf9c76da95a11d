/**
 * The VS Code Server of one commit inside a container: what was mounted when the container was made, where it is of that
 * commit; else a copy beside it, with its own Node, since editors are updated more often than containers are made.
 */
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { KIT, type Kit } from './kit.ts';
import { readInside } from './owner.ts';
import { copyKit, hasKit, isNeeded, pack } from './server.ts';

/** Copies lie in `/.pinnace-servers/COMMIT`; their Node finds its loader and libraries in the kit. */
const COPIES = '/.pinnace-servers';

export interface ServerInside {
  /** The folder with `out/server-main.js`. */
  readonly server: string;
  /** The folder with the Node that runs it, and our program. */
  readonly program: string;
}

export interface CommitOptions {
  readonly kit: Kit;
  readonly commit: string;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Throws `unavailable` when it cannot be copied. */
export async function bringCommit(
  client: Client,
  container: string,
  { kit, commit, signal, say }: CommitOptions,
): Promise<ServerInside> {
  const mounted = { server: `${KIT}/server`, program: KIT };
  if ((await commitIn(client, container, mounted.server)) === commit) return mounted;
  if (!(await hasKit(client, container, { server: false }))) {
    say('copying the VS Code Server into the container');
    await copyKit(client, container, kit, signal);
    return mounted;
  }
  const folder = `${COPIES}/${commit}`;
  const copied = { server: folder, program: folder };
  if ((await commitIn(client, container, folder)) === commit) return copied;
  say('copying the VS Code Server of this version of the editor into the container');
  await copy(client, container, { kit, folder, signal });
  return copied;
}

async function copy(
  client: Client,
  container: string,
  { kit, folder, signal }: { kit: Kit; folder: string; signal: AbortSignal },
): Promise<void> {
  const prefix = folder.slice(1);
  const { server } = kit;
  if (server === undefined) throw new EngineError('internal', 'the kit holds no VS Code Server');
  const put = (tar: ReturnType<typeof pack>): Promise<void> =>
    client.containers.archivePut(container, '/', tar, { signal });
  const own = (path: string): boolean => path === './node' || path === './inside.mjs';
  try {
    await put(pack(server, prefix, (path) => isNeeded(path) && !isLast(path) && path !== './node'));
    await put(pack(kit.folder, prefix, (path) => path === '.' || own(path)));
    // product.json comes last: a copy that was cut short is made again.
    await put(pack(server, prefix, (path) => path === '.' || isLast(path)));
  } catch (cause) {
    throw new EngineError(
      'unavailable',
      `the VS Code Server could not be copied into container ${container.slice(0, 12)}: ${messageOf(cause)}; make the container anew with Rebuild Container, which mounts it`,
      { cause },
    );
  }
}

function isLast(path: string): boolean {
  return path === './product.json';
}

async function commitIn(
  client: Client,
  container: string,
  folder: string,
): Promise<string | undefined> {
  const text = await readInside(client, container, `${folder}/product.json`);
  try {
    const { commit } = JSON.parse(text) as { readonly commit?: unknown };
    return typeof commit === 'string' ? commit : undefined;
  } catch {
    return undefined;
  }
}
