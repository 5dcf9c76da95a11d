/** `Run Stage…` and `Open Shell in Stage…`: a stage is built without a name, which is quick where the cache has it, and a container made of it. */
import type { Client } from '../../../client/api/client.ts';
import type { ContainerCreateRequest } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import { SERVICE } from '../../build/service.ts';
import { attachSession } from '../../shell/attach.ts';
import { chooseShell } from '../../shell/choose.ts';
import { BUSYBOX } from '../../shell/open.ts';
import { bringShell } from '../../shell/tool.ts';
import type { Command, Desk } from '../desk.ts';
import { type Asked, askBuild, chooseDockerfile } from './ask.ts';
import { checkCan, stageOf } from './image.ts';

export const runStage: Command = {
  id: 'pinnace.build.runStage',
  title: 'Run Stage…',
  icon: '$(play)',
  run: async (desk, _targets, argument) => {
    const image = await buildStage(desk, argument);
    if (image === undefined) return;
    const { client } = await desk.engines.ready();
    const summary = (await client.images.list()).find(({ Id }) => Id === image);
    if (summary === undefined) throw gone(image);
    const target = { kind: 'image', id: image, reference: image, summary };
    await desk.execute('pinnace.image.run', target);
  },
};

export const shellInStage: Command = {
  id: 'pinnace.build.shellInStage',
  title: 'Open Shell in Stage…',
  icon: '$(terminal)',
  run: async (desk, _targets, argument) => {
    const image = await buildStage(desk, argument);
    if (image === undefined) return;
    const { client } = await desk.engines.ready();
    const id = await desk.progress('Opening a shell', (signal) =>
      containerWithShell(client, { image, busybox: desk.asset(BUSYBOX), signal }),
    );
    const { Name } = await client.containers.inspect(id);
    const name = Name.replace(/^\//, '');
    desk.terminal(attachSession(client, { id, name, tty: true, stdin: true, start: true }));
  },
};

/** The id of the stage's image; undefined when a question was left or the build failed, which its tab shows. */
async function buildStage(desk: Desk, argument: unknown): Promise<string | undefined> {
  checkCan(desk);
  const dockerfile = await chooseDockerfile(desk, argument);
  if (dockerfile === undefined) return undefined;
  const target = stageOf(argument);
  const asked: Asked = { dockerfile, unnamed: true, ...(target === undefined ? {} : { target }) };
  const request = await askBuild(desk, asked);
  if (request === undefined) return undefined;
  const image = await desk.execute(SERVICE.build, request);
  return typeof image === 'string' && image !== '' ? image : undefined;
}

function gone(image: string): EngineError {
  return new EngineError('not-found', `The image ${image} is gone already; build it again.`);
}

interface Wanted {
  readonly image: string;
  /** The shell for images without one, on this machine. */
  readonly busybox: string;
  readonly signal: AbortSignal;
}

/** Where a brought shell lies; busybox is itself only under a name that begins so. */
const BROUGHT = 'busybox-pinnace-shell';

/** A container, not started, whose program is the image's best shell, or else one that is copied in. It removes itself when it ends. */
async function containerWithShell(
  client: Client,
  { image, busybox, signal }: Wanted,
): Promise<string> {
  const { Config } = await client.images.inspect(image, { signal });
  const create = async (entrypoint: readonly string[]): Promise<string> => {
    const request = requestFor(image, entrypoint);
    return (await client.containers.create(undefined, request, { signal })).Id;
  };
  const looked = await create(['/bin/sh']);
  let shell: string | undefined;
  try {
    shell = await chooseShell(client.containers, looked, Config.User ?? '');
    if (shell === '/bin/sh') return looked;
  } catch (error) {
    await client.containers.remove(looked, { force: true }).catch(() => undefined);
    throw error;
  }
  await client.containers.remove(looked, { force: true });
  if (shell !== undefined) return create([shell]);
  const made = await create([`/${BROUGHT}`, 'sh']);
  try {
    await bringShell(client, made, { source: busybox, name: BROUGHT });
    return made;
  } catch (error) {
    await client.containers.remove(made, { force: true }).catch(() => undefined);
    throw error;
  }
}

function requestFor(image: string, entrypoint: readonly string[]): ContainerCreateRequest {
  return {
    Image: image,
    Entrypoint: [...entrypoint],
    Cmd: [],
    Tty: true,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Env: ['TERM=xterm-256color'],
    Healthcheck: { Test: ['NONE'] },
    HostConfig: { AutoRemove: true },
  };
}
