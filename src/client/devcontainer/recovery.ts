/** The recovery container: a plain container around a folder whose own cannot be made, so that what is broken can be mended inside. Nothing of the folder's configuration runs in it. */
import { Readable } from 'node:stream';
import { Header } from 'tar';
import type { DevContainerConfig } from '../../lib/devcontainer/config.ts';
import { RECOVERY } from '../../lib/devcontainer/labels.ts';
import { createRequestOf } from '../../lib/devcontainer/request.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { configFileOf, findConfig, findContainer, workspaceOf } from './find.ts';
import { KIT_SHELL, type Kit } from './kit.ts';
import { createOwned } from './owner.ts';
import { additionsOf, builtName, resolveConfig } from './up.ts';

const BARE = { repo: 'pinnace-recovery', tag: 'latest' };

export interface RecoveryOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly kit?: Kit;
}

/** Takes the place of the folder's container and runs; gives its id. Throws `unavailable` when there is no image to make it from. */
export async function recover(
  client: Client,
  folder: string,
  options: RecoveryOptions,
): Promise<string> {
  const real = workspaceOf(folder);
  const config = soundConfig(real, options.env);
  const image = await imageFor(client, real, config, options);
  const request = createRequestOf(
    placeOf(config),
    image,
    { folder: real, configFile: configFileOf(real) ?? '', configHash: RECOVERY },
    additionsOf(options.kit),
  );
  const existing = await findContainer(client, real);
  if (existing !== undefined) await client.containers.remove(existing.Id, { force: true });
  options.say(`making a recovery container from ${image}`);
  const { Id } = await createOwned(client, { ...request, User: 'root' }, undefined);
  await client.containers.start(Id);
  return Id;
}

/** The folder stays where the configuration puts it; all else of it is left out. */
function placeOf({ workspaceFolder }: DevContainerConfig): DevContainerConfig {
  return workspaceFolder === undefined ? {} : { workspaceFolder };
}

function soundConfig(folder: string, env: RecoveryOptions['env']): DevContainerConfig {
  try {
    return resolveConfig(findConfig(folder), env);
  } catch (error) {
    if (kindOf(error) === 'invalid' || kindOf(error) === 'not-found') return {};
    throw error;
  }
}

/** The folder's own image where one is there, from an earlier build too; else one that holds nothing but what a user needs. */
async function imageFor(
  client: Client,
  folder: string,
  { image }: DevContainerConfig,
  options: RecoveryOptions,
): Promise<string> {
  for (const name of [builtName(folder), image ?? ''])
    if (name !== '' && (await hasImage(client, name))) return name;
  if (options.kit?.shell !== true)
    throw new EngineError(
      'unavailable',
      'there is no image yet to make a recovery container from; mend the configuration here and open the folder again',
    );
  const name = `${BARE.repo}:${BARE.tag}`;
  if (await hasImage(client, name)) return name;
  const changes = ['ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
  for await (const message of client.images.import(bareTree(), {
    ...BARE,
    changes,
    signal: options.signal,
  }))
    if (message.status !== undefined) options.say(`${name}: ${message.status}`);
  return name;
}

async function hasImage(client: Client, name: string): Promise<boolean> {
  try {
    await client.images.inspect(name);
    return true;
  } catch (error) {
    if (kindOf(error) === 'not-found') return false;
    throw error;
  }
}

/** The tar of a root file system with a user and its home; programs come with the kit. */
function bareTree(): Readable {
  const file = (path: string, text: string): Buffer[] => {
    const body = Buffer.from(text);
    const padding = Buffer.alloc((512 - (body.length % 512)) % 512);
    return [header({ path, type: 'File', mode: 0o644, size: body.length }), body, padding];
  };
  const folder = (path: string, mode: number): Buffer[] => [
    header({ path, type: 'Directory', mode, size: 0 }),
  ];
  return Readable.from([
    ...folder('etc/', 0o755),
    ...file('etc/passwd', `root:x:0:0:root:/root:${KIT_SHELL}\n`),
    ...file('etc/group', 'root:x:0:\n'),
    ...folder('root/', 0o700),
    ...folder('tmp/', 0o1777),
    Buffer.alloc(1024),
  ]);
}

function header(entry: {
  path: string;
  type: 'File' | 'Directory';
  mode: number;
  size: number;
}): Buffer {
  const made = new Header({ ...entry, uid: 0, gid: 0, mtime: new Date(0) });
  made.encode();
  if (made.block === undefined) throw new EngineError('internal', `no tar header of ${entry.path}`);
  return made.block;
}
