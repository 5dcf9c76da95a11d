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
import { inside } from '../../client/devcontainer/exec.ts';
import { isServer } from '../../client/devcontainer/server.ts';
import { readProduct } from '../../client/vscode-server/product.ts';
import { LOCAL_FOLDER } from '../../lib/devcontainer/labels.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Desk } from '../commands/desk.ts';
import type { Engine } from '../engine/engines.ts';
import { authorityOf } from '../resolver/authority.ts';
import { type Choice, SSH_EXTENSIONS, type Way, wayOf } from './choice.ts';
import type { Work } from './flow.ts';
import type { Host } from './host.ts';

/** What a container is entered with. */
export interface Entry {
  readonly desk: Desk;
  readonly host: Host;
  readonly engine: Engine;
  readonly way: Way;
  /** What a window's server needs inside; undefined: the window is opened over SSH, which brings its own. */
  readonly kit: Kit | undefined;
}

/** Finds or makes it. Throws `unavailable` naming what is missing. */
export async function entryOf(desk: Desk, host: Host, work: Work): Promise<Entry> {
  const { way, why } = chosenWay(desk, host);
  host.log.line(why);
  const kit = way === 'ssh' ? undefined : await kitOf({ desk, host }, way, work);
  return { desk, host, way, kit, engine: await desk.engines.ready(work.signal) };
}

/** In a window of this editor, whose start our resolver does the rest of. */
export async function enterByResolver(
  { desk, host, engine }: Entry,
  container: string,
  folder: string | undefined,
): Promise<void> {
  const found = await engine.client.containers.inspect(container);
  const { workdir } = inside(found, folder ?? '/', [], process.env);
  const target = folder === undefined ? { container: found.Id.slice(0, 12) } : { folder };
  const authority = authorityOf({ ...target, engine: engine.entry.id });
  const here = folder !== undefined && desk.folders().some(({ path }) => path === folder);
  await host.openRemote(authority, workdir === '' ? '/' : workdir, { newWindow: !here });
}

export async function enterBySsh({ desk, host, engine }: Entry, container: string): Promise<void> {
  await includeConfig(desk);
  const found = await engine.client.containers.inspect(container);
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
export function chosenWay(desk: Desk, host: Host): Choice {
  return wayOf(desk.setting('devcontainer.open'), {
    server: isServer(host.appRoot),
    ssh: SSH_EXTENSIONS.some((id) => host.hasExtension(id)),
    resolver: host.resolver,
  });
}

/** A browser is served by the editor's own server; a window of a desktop editor by the one of its commit, which is brought along. */
export async function kitOf(
  { desk, host }: Pick<Entry, 'desk' | 'host'>,
  way: Exclude<Way, 'ssh'>,
  work: Work,
): Promise<Kit> {
  const shells = [
    process.env['PINNACE_BUSYBOX'] ?? '',
    desk.asset('out/native/busybox'),
    '/bin/busybox',
  ];
  const server = way === 'browser' ? host.appRoot : await serverOf(desk, host, work);
  return makeKit(
    {
      server,
      node: way === 'browser' ? host.node : join(server, 'node'),
      inside: desk.asset('out/inside.js'),
      busybox: shells.find((path) => path !== '' && existsSync(path)),
    },
    host.environment(),
  );
}

/** The store is loaded when it is needed: it brings a whole HTTP client along. */
async function serverOf(desk: Desk, host: Host, { signal, say }: Work): Promise<string> {
  const { provideServer } = await import('../../client/vscode-server/store.ts');
  const template = desk.setting('devcontainer.serverDownloadUrl');
  return provideServer(readProduct(host.appRoot), {
    env: host.environment(),
    template: typeof template === 'string' ? template : '',
    proxy: host.proxy(),
    signal,
    say,
  });
}
