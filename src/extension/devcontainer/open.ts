/** The flow of "open in container": engine, configuration, container, server, bridge, window; with progress, log and cancel. Knows no editor. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findConfig, findContainer } from '../../client/devcontainer/find.ts';
import { type Kit, makeKit } from '../../client/devcontainer/kit.ts';
import { openInside } from '../../client/devcontainer/open.ts';
import { isServer } from '../../client/devcontainer/server.ts';
import { startBridge } from '../../client/devcontainer/start-bridge.ts';
import { up } from '../../client/devcontainer/up.ts';
import { enginePaths } from '../../client/engine/paths.ts';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import type { JsonMessage } from '../../lib/api/system.ts';
import type { Desk } from '../commands/desk.ts';
import type { Engine } from '../engine/engines.ts';
import { type Host, hostOf, SSH_EXTENSIONS, type Way, wayOf } from './host.ts';

export interface FolderOptions {
  /** `no`: the container that is there; `cached`, `clean`: made anew, its image from the cache or not. */
  readonly rebuild: 'no' | 'cached' | 'clean';
}

const ADD = 'Add Configuration Files';
const LOG = 'Show Log';

/** Opens a folder in its dev container. Says what fails with a way to the log; nothing runs before the folder is trusted. */
export async function openFolder(
  desk: Desk,
  folder: string,
  options: FolderOptions,
): Promise<void> {
  requireTrust(desk);
  if (!(await hasConfiguration(desk, folder))) return;
  const host = await hostOf(desk);
  const way = chosenWay(desk, host);
  await flow(
    desk,
    host,
    options.rebuild === 'no' ? 'Opening in the container' : 'Rebuilding the container',
    async (work) => {
      const kit = await kitOf(desk, host, way);
      const engine = await desk.engines.ready(work.signal);
      const before = await findContainer(engine.client, folder);
      const result = await up(engine.client, {
        folder,
        removeExisting: options.rebuild !== 'no',
        noCache: options.rebuild === 'clean',
        env: process.env,
        signal: work.signal,
        say: work.say,
        show: (messages) => showMessages(messages, host, work.say),
        stdout: host.log.writable,
        stderr: host.log.writable,
        ...(kit === undefined ? {} : { kit }),
      });
      if (before !== undefined && result.outcome === 'created') host.unwatchPorts(before.Id);
      await enter({ desk, host, engine, way, kit }, result.containerId, work);
    },
  );
}

/** Opens a window inside any running container. */
export async function openContainer(desk: Desk, container: string): Promise<void> {
  requireTrust(desk);
  const host = await hostOf(desk);
  const way = chosenWay(desk, host);
  await flow(desk, host, 'Attaching to the container', async (work) => {
    const kit = await kitOf(desk, host, way);
    const engine = await desk.engines.ready(work.signal);
    await enter({ desk, host, engine, way, kit }, container, work);
  });
}

export function requireTrust(desk: Desk): void {
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

interface Entry {
  readonly desk: Desk;
  readonly host: Host;
  readonly engine: Engine;
  readonly way: Way;
  readonly kit: Kit | undefined;
}

interface Work {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
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
    opened.port,
  );
  const query = new URLSearchParams({ tkn: opened.token, folder: opened.folder });
  work.say(`opening ${opened.folder} of ${opened.name} as ${opened.user}`);
  await desk.openExternal(`http://127.0.0.1:${bridge.port}/?${query.toString()}`);
  if (engine.has('pinnace')) host.watchPorts(opened);
}

async function enterBySsh({ desk, host, engine }: Entry, container: string): Promise<void> {
  await includeConfig(desk);
  const found = await engine.client.containers.inspect(container);
  const { inside } = await import('../../client/devcontainer/exec.ts');
  const { LOCAL_FOLDER } = await import('../../lib/devcontainer/labels.ts');
  const how = inside(found, found.Config.Labels?.[LOCAL_FOLDER] ?? '/', [], process.env);
  await host.openSsh(found.Name.replace(/^\//, ''), how.workdir === '' ? '/' : how.workdir, {
    newWindow: true,
  });
}

/** Asks before the one line is written into the user's own ssh configuration. */
async function includeConfig(desk: Desk): Promise<void> {
  const { status, stdout, stderr } = await desk.cli.run(['ssh', '--config']);
  if (status !== 0) throw new EngineError('unavailable', stderr.trim());
  const line = `Include ${stdout.trim()}`;
  const folder = join(homedir(), '.ssh');
  const file = join(folder, 'config');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (text.split('\n').some((known) => known.trim() === line)) return;
  const sure = await desk.confirm({
    message: 'Add one line to your SSH configuration?',
    detail: `Windows in containers are opened over SSH. For that, this line comes first in ${file}:\n\n${line}`,
    action: 'Add Line',
  });
  if (!sure) throw new EngineError('cancelled', 'the SSH configuration was left as it is');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const mode = existsSync(file) ? statSync(file).mode & 0o777 : 0o600;
  const real = existsSync(file) ? realpathSync(file) : file;
  writeFileSync(`${real}.pinnace-new`, `${line}\n\n${text}`, { mode });
  renameSync(`${real}.pinnace-new`, real);
}

function chosenWay(desk: Desk, host: Host): Way {
  return wayOf(desk.setting('devcontainer.open'), {
    server: isServer(host.appRoot),
    ssh: SSH_EXTENSIONS.some((id) => host.hasExtension(id)),
  });
}

async function kitOf(desk: Desk, host: Host, way: Way): Promise<Kit | undefined> {
  if (way === 'ssh') return undefined;
  const shells = [
    process.env['PINNACE_BUSYBOX'] ?? '',
    desk.asset('out/native/busybox'),
    '/bin/busybox',
  ];
  return makeKit(
    {
      server: host.appRoot,
      node: host.node,
      inside: desk.asset('out/inside.js'),
      busybox: shells.find((path) => path !== '' && existsSync(path)),
    },
    host.environment(),
  );
}

/** False after the user was asked what to do about a folder without configuration. */
async function hasConfiguration(desk: Desk, folder: string): Promise<boolean> {
  try {
    findConfig(folder);
    return true;
  } catch (error) {
    if (kindOf(error) !== 'not-found') throw error;
    const chosen = await desk.inform(`${folder} has no devcontainer.json yet.`, ADD);
    if (chosen === ADD) await desk.execute('pinnace.devcontainer.addConfiguration', folder);
    return false;
  }
}

/** Runs the work with progress; everything said goes to the log, the last line to the notification. */
async function flow(
  desk: Desk,
  host: Host,
  title: string,
  work: (work: Work) => Promise<void>,
): Promise<void> {
  try {
    await desk.progress(title, async (signal, report) => {
      await work({
        signal,
        say: (line) => {
          host.log.line(line);
          report({ message: line });
        },
      });
    });
  } catch (error) {
    if (kindOf(error) === 'cancelled') throw error;
    host.log.line(`failed: ${messageOf(error)}`);
    if ((await desk.complain(messageOf(error), LOG)) === LOG) host.log.show();
  }
}

/** A build's and pull's messages as lines; gives the last `aux`. */
async function showMessages(
  messages: AsyncIterable<JsonMessage>,
  host: Host,
  say: (line: string) => void,
): Promise<Record<string, unknown>> {
  let last: Record<string, unknown> = {};
  for await (const message of messages) {
    if (message.stream !== undefined) {
      const text = message.stream.trimEnd();
      if (/^Step \d+\/\d+ : /.test(text)) say(text);
      else if (text !== '') host.log.line(text);
    } else if (message.status !== undefined && message.progressDetail?.current === undefined) {
      host.log.line(message.id === undefined ? message.status : `${message.id}: ${message.status}`);
    }
    if (message.aux !== undefined) last = message.aux;
  }
  return last;
}
