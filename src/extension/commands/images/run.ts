/** `pinnace.image.run` and `pinnace.image.runInteractive`: containers from an image, at once or after a few questions. */
import type { ContainerCreateRequest } from '../../../lib/api/containers.ts';
import type { ImageInspect } from '../../../lib/api/images.ts';
import { EngineError, messageOf } from '../../../lib/errors.ts';
import { attachSession } from '../../shell/attach.ts';
import type { ImageNode } from '../../views/nodes.ts';
import { nameProblem } from '../containers/rename.ts';
import type { Command, Desk } from '../desk.ts';
import { chooseOne, imageName, IMAGES } from '../targets.ts';
import { parsePorts, parseVariables, splitWords } from './run-input.ts';

export const run: Command = {
  id: 'pinnace.image.run',
  title: 'Run',
  category: 'Pinnace Images',
  icon: '$(play)',
  run: async (desk, targets) => {
    const node = await choose(desk, targets);
    if (node === undefined) return;
    const { client } = await desk.engines.ready();
    const image = await client.images.inspect(node.reference);
    const ports = Object.keys(image.Config.ExposedPorts ?? {});
    const publish = ports.length === 0 ? 'no' : await askPublish(desk, ports);
    if (publish === undefined) return;
    const id = await desk.progress(`Starting ${imageName(node)}`, async (signal) => {
      const request = { Image: node.reference, HostConfig: { PublishAllPorts: publish === 'yes' } };
      const { Id } = await client.containers.create(undefined, request, { signal });
      await startOrRemove(desk, Id);
      return Id;
    });
    const { Name, State } = await client.containers.inspect(id);
    const name = Name.replace(/^\//, '');
    const chosen = await desk.inform(
      State.Running
        ? `${name} runs ${imageName(node)}.`
        : `${name} ran ${imageName(node)} and ended with status ${State.ExitCode}.`,
      'Show Logs',
      ...(publish === 'yes' && State.Running ? ['Open in Browser'] : []),
    );
    if (chosen === undefined) return;
    const [made] = await client.containers.list({ all: true, filters: { id: [id] } });
    if (made === undefined) throw new EngineError('not-found', `${name} is gone already.`);
    const target = { kind: 'container', id, name, summary: made };
    await desk.execute(
      chosen === 'Show Logs' ? 'pinnace.container.logs' : 'pinnace.container.browse',
      target,
    );
  },
};

function choose(
  desk: Desk,
  targets: Parameters<Command['run']>[1],
): Promise<ImageNode | undefined> {
  return chooseOne(desk, IMAGES, targets, {
    title: 'Run which image?',
    none: 'There is no image. Pull or build one first.',
  });
}

function askPublish(desk: Desk, ports: readonly string[]): Promise<'yes' | 'no' | undefined> {
  return desk.pick<'yes' | 'no'>(`The image exposes ${ports.join(', ')}`, [
    { label: 'Publish on Free Ports', description: 'reachable from this machine', value: 'yes' },
    { label: "Don't Publish", value: 'no' },
  ]);
}

/** A container that cannot start is not left behind. */
async function startOrRemove(desk: Desk, id: string): Promise<void> {
  const { client } = desk.engines.active;
  try {
    await client.containers.start(id);
  } catch (error) {
    await client.containers.remove(id, { force: true }).catch(() => undefined);
    throw error;
  }
}

export const runInteractive: Command = {
  id: 'pinnace.image.runInteractive',
  title: 'Run Interactive…',
  category: 'Pinnace Images',
  icon: '$(terminal)',
  run: async (desk, targets) => {
    const node = await choose(desk, targets);
    if (node === undefined) return;
    const { client } = await desk.engines.ready();
    const image = await client.images.inspect(node.reference);
    const answers = await askAll(desk, node, image);
    if (answers === undefined) return;
    const { Id } = await client.containers.create(answers.name, answers.request);
    const { Name } = await client.containers.inspect(Id);
    desk.terminal(
      attachSession(client, {
        id: Id,
        name: Name.replace(/^\//, ''),
        tty: true,
        stdin: true,
        start: true,
      }),
    );
  },
};

interface Answers {
  readonly name: string | undefined;
  readonly request: ContainerCreateRequest;
}

/** Four questions, each with an answer that Enter takes; undefined when the user went away. */
async function askAll(
  desk: Desk,
  node: ImageNode,
  image: ImageInspect,
): Promise<Answers | undefined> {
  const title = `Run ${imageName(node)}`;
  const program = [...(image.Config.Entrypoint ?? []), ...(image.Config.Cmd ?? [])].join(' ');
  const command = await desk.ask({
    title: `${title} (1/4)`,
    prompt: 'Command; empty runs what the image says',
    placeholder: program === '' ? 'the image names no command' : program,
    check: (text) =>
      text.trim() === '' && program === ''
        ? 'The image names no command'
        : problem(() => splitWords(text)),
  });
  if (command === undefined) return undefined;
  const name = await desk.ask({
    title: `${title} (2/4)`,
    prompt: 'Name of the container; empty lets the engine choose',
    check: (text) => (text.trim() === '' ? undefined : nameProblem(text.trim())),
  });
  if (name === undefined) return undefined;
  const exposed = Object.keys(image.Config.ExposedPorts ?? {}).map((port) =>
    port.replace(/\/tcp$/, ''),
  );
  const ports = await desk.ask({
    title: `${title} (3/4)`,
    prompt: 'Ports to publish, as host:container; empty publishes none',
    placeholder:
      exposed.length === 0
        ? '8080:80, 127.0.0.1:5432:5432'
        : exposed.map((port) => `${port}:${port}`).join(', '),
    check: (text) => problem(() => parsePorts(text)),
  });
  if (ports === undefined) return undefined;
  const variables = await desk.ask({
    title: `${title} (4/4)`,
    prompt: 'Environment, as NAME=value; empty adds none',
    placeholder: 'MODE=debug GREETING="hello there"',
    check: (text) => problem(() => parseVariables(text)),
  });
  if (variables === undefined) return undefined;
  const { exposed: opened, bindings } = parsePorts(ports);
  const words = splitWords(command);
  return {
    name: name.trim() === '' ? undefined : name.trim(),
    request: {
      Image: node.reference,
      Tty: true,
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Env: ['TERM=xterm-256color', ...parseVariables(variables)],
      ExposedPorts: opened,
      HostConfig: { AutoRemove: true, PortBindings: bindings },
      ...(words.length === 0 ? {} : { Cmd: words }),
    },
  };
}

function problem(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
