/** The ways into a container that an editor has: which is taken, what a browser window needs of this machine, and a window over SSH. */
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
import { type Kit, makeKit } from '../../client/devcontainer/kit.ts';
import { isServer } from '../../client/devcontainer/server.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Desk } from '../commands/desk.ts';
import type { Engine } from '../engine/engines.ts';
import { type Host, SSH_EXTENSIONS, type Way, wayOf } from './host.ts';

/** What a container is entered with. */
export interface Entry {
  readonly desk: Desk;
  readonly host: Host;
  readonly engine: Engine;
  /** What a browser window needs inside; undefined: the window is opened over SSH. */
  readonly kit: Kit | undefined;
}

/** Finds or makes it. Throws `unavailable` naming what is missing. */
export async function entryOf(desk: Desk, host: Host, signal: AbortSignal): Promise<Entry> {
  const kit = await kitOf(desk, host, chosenWay(desk, host));
  return { desk, host, kit, engine: await desk.engines.ready(signal) };
}

export async function enterBySsh({ desk, host, engine }: Entry, container: string): Promise<void> {
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

/** Throws `unavailable` where the editor has no way. */
export function chosenWay(desk: Desk, host: Host): Way {
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
