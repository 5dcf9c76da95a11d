/** The flow of "open in container": engine, configuration, container, server, bridge, window. Knows no editor. */
import { existsSync } from 'node:fs';
import { runHooks, type HookOptions } from '../../client/devcontainer/hooks.ts';
import {
  configFileOf,
  findConfig,
  findContainer,
  workspaceOf,
} from '../../client/devcontainer/find.ts';
import { openInside, configOf } from '../../client/devcontainer/open.ts';
import { recover } from '../../client/devcontainer/recovery.ts';
import { leadsToPorts } from '../../client/devcontainer/server.ts';
import { startBridge } from '../../client/devcontainer/start-bridge.ts';
import { up } from '../../client/devcontainer/up.ts';
import { enginePaths } from '../../client/engine/paths.ts';
import { LOCAL_FOLDER } from '../../lib/devcontainer/labels.ts';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { Desk } from '../commands/desk.ts';
import { flow, type Remedies, showMessages, type Work } from './flow.ts';
import { type Host, hostOf } from './host.ts';
import { chosenWay, enterByResolver, enterBySsh, type Entry, entryOf } from './ways.ts';

export interface FolderOptions {
  /** `no`: the container that is there; `cached`, `clean`: made anew, its image from the cache or not. */
  readonly rebuild: 'no' | 'cached' | 'clean';
}

/** Commands that run when the window is open already. */
type Later = (options: HookOptions) => Promise<void>;

const ADD = 'Add Configuration Files';
const RECOVER = 'Open Recovery Container';
const EDIT = 'Edit Configuration';

/** Opens a folder in its dev container. Says what fails with ways out; nothing runs before the folder is trusted. */
export async function openFolder(
  desk: Desk,
  folder: string,
  options: FolderOptions,
): Promise<void> {
  requireTrust(desk);
  const host = await hostOf(desk);
  if (!(await hasConfiguration(desk, folder))) return;
  chosenWay(desk, host);
  const title = options.rebuild === 'no' ? 'Opening in the container' : 'Rebuilding the container';
  const opened: { later?: Later; container?: string | undefined } = {};
  const done = await flow(
    { desk, host },
    title,
    async (work) => {
      const entry = await entryOf(desk, host, work);
      const { client } = entry.engine;
      const before = await findContainer(client, workspaceOf(folder));
      const result = await up(client, {
        ...outputOf(host, work),
        folder,
        removeExisting: options.rebuild !== 'no',
        noCache: options.rebuild === 'clean',
        show: (messages) => showMessages(messages, host, work.say),
        later: (run) => (opened.later = run),
        ...(entry.kit === undefined ? {} : { kit: entry.kit }),
      });
      opened.container = result.containerId;
      if (before !== undefined && result.outcome === 'created') host.unwatchPorts(before.Id);
      if (entry.way === 'resolver') {
        // The window is loaded anew, and nothing goes on behind it.
        await opened.later?.(outputOf(host, work));
        await enterByResolver(entry, result.containerId, workspaceOf(folder));
        opened.container = undefined;
      } else await enter(entry, result.containerId, work);
    },
    // Once the container is there, only its window is missing: there is nothing to recover.
    (error) => (opened.container === undefined ? remediesOf(desk, host, folder, error) : {}),
  );
  if (done && opened.container !== undefined)
    await runAttached(desk, host, opened.container, opened.later);
}

/** Opens a window inside any running container. */
export async function openContainer(desk: Desk, container: string): Promise<void> {
  requireTrust(desk);
  const host = await hostOf(desk);
  chosenWay(desk, host);
  const done = await flow({ desk, host }, 'Attaching to the container', async (work) => {
    const entry = await entryOf(desk, host, work);
    if (entry.way === 'resolver') await enterByResolver(entry, container, undefined);
    else await enter(entry, container, work);
  });
  if (done && chosenWay(desk, host).way !== 'resolver') await runAttached(desk, host, container);
}

function requireTrust(desk: Desk): void {
  if (!desk.trusted())
    throw new EngineError(
      'forbidden',
      'this workspace is not trusted: what its configuration names is only run once you trust it (Manage Workspace Trust)',
    );
}

/** The run root of the bundled engine: bridges note their ports there. */
export function runRootOf(host: Host): string {
  return enginePaths({ env: host.environment() }).runRoot;
}

async function enter(entry: Entry, container: string, work: Work): Promise<void> {
  const { desk, host, engine, kit } = entry;
  if (kit === undefined) {
    await enterBySsh(entry, container);
    return;
  }
  const opened = await openInside(engine.client, {
    container,
    kit,
    env: host.environment(),
    user: host.userFiles(),
    signal: work.signal,
    say: work.say,
  });
  const bridge = await startBridge(
    {
      program: desk.asset('out/cli.js'),
      node: host.node,
      env: host.environment(),
      runRoot: runRootOf(host),
      ...(engine.entry.kind === 'pinnace' ? {} : { host: engine.entry.address }),
    },
    opened.containerId,
    opened,
  );
  const query = new URLSearchParams({ tkn: opened.token, folder: opened.folder });
  work.say(`opening ${opened.folder} of ${opened.name} as ${opened.user}`);
  await desk.openExternal(`http://127.0.0.1:${bridge.port}${opened.base}/?${query.toString()}`);
  if (engine.has('pinnace') && !leadsToPorts(host.appRoot)) host.watchPorts(opened);
}

/** What runs while the window is open: the commands that it did not wait for, and postAttachCommand each time. */
export async function runAttached(
  desk: Desk,
  host: Host,
  container: string,
  later?: Later,
): Promise<void> {
  const { client } = await desk.engines.ready();
  const found = await client.containers.inspect(container);
  const config = configOf(found, process.env);
  if (config === undefined) return;
  if (later === undefined && config.postAttachCommand === undefined) return;
  await flow({ desk, host }, 'Running the commands of the container', async (work) => {
    const output = outputOf(host, work);
    await later?.(output);
    const folder = found.Config.Labels?.[LOCAL_FOLDER] ?? '/';
    await runHooks(client, found.Id, { config, folder }, ['postAttachCommand'], output);
  });
}

function outputOf(host: Host, { signal, say }: Work): HookOptions {
  return { env: process.env, signal, say, stdout: host.log.writable, stderr: host.log.writable };
}

/** What can be done where a folder's container cannot be made. */
function remediesOf(desk: Desk, host: Host, folder: string, error: unknown): Remedies {
  const file = existsSync(folder) ? configFileOf(folder) : undefined;
  const line = /^(\d+):/.exec(messageOf(error).split(`${String(file)}:`)[1] ?? '')?.[1];
  return {
    [RECOVER]: () => openRecovery(desk, host, folder),
    ...(file === undefined ? {} : { [EDIT]: () => host.openFile(file, Number(line ?? 1)) }),
  };
}

async function openRecovery(desk: Desk, host: Host, folder: string): Promise<void> {
  await flow({ desk, host }, 'Opening a recovery container', async (work) => {
    const entry = await entryOf(desk, host, work);
    const container = await recover(entry.engine.client, folder, {
      ...work,
      env: process.env,
      ...(entry.kit === undefined ? {} : { kit: entry.kit }),
    });
    if (entry.way === 'resolver') await enterByResolver(entry, container, workspaceOf(folder));
    else await enter(entry, container, work);
    work.say('mend the configuration and choose Rebuild Container');
  });
}

/** False after the user was asked what to do about a folder without a sound configuration. */
async function hasConfiguration(desk: Desk, folder: string): Promise<boolean> {
  try {
    findConfig(folder);
    return true;
  } catch (error) {
    // What is wrong with it is said, with ways out, by the work that reads it.
    if (kindOf(error) === 'invalid') return true;
    if (kindOf(error) !== 'not-found') throw error;
    const chosen = await desk.inform(`${folder} has no devcontainer.json yet.`, ADD);
    if (chosen === ADD) await desk.execute('pinnace.devcontainer.addConfiguration', folder);
    return false;
  }
}
