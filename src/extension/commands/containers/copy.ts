/** Copying what a container is called by: its id, name, image, and the `docker run` line that makes its like. */
import type { Client } from '../../../client/api/client.ts';
import type { ContainerInspect } from '../../../lib/api/containers.ts';
import { kindOf } from '../../../lib/errors.ts';
import type { ImageInspect } from '../../../lib/api/images.ts';
import type { ContainerNode } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { chooseMany, CONTAINERS } from '../targets.ts';
import { runLine } from './run-line.ts';

interface Part {
  readonly id: string;
  readonly title: string;
  readonly text: (node: ContainerNode, client: () => Promise<Client>) => Promise<string>;
}

const PARTS: readonly Part[] = [
  { id: 'copyName', title: 'Copy Name', text: (node) => Promise.resolve(node.name) },
  { id: 'copyId', title: 'Copy ID', text: (node) => Promise.resolve(node.id) },
  { id: 'copyImage', title: 'Copy Image', text: (node) => Promise.resolve(node.summary.Image) },
  {
    id: 'copyRunLine',
    title: 'Copy docker run Line',
    text: async (node, client) => {
      const engine = await client();
      const container = await engine.containers.inspect(node.id);
      return runLine(container, await imageOf(engine, container));
    },
  },
];

export const COPY: readonly Command[] = PARTS.map(({ id, title, text }) => ({
  id: `pinnace.container.${id}`,
  title,
  category: 'Pinnace Containers',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: `${title} of which containers?`,
      none: 'There is no container.',
    });
    if (nodes === undefined) return;
    const client = async (): Promise<Client> => (await desk.engines.ready()).client;
    const texts: string[] = [];
    for (const node of nodes) texts.push(await text(node, client));
    await desk.copy(texts.join('\n'));
  },
}));

/** The image may be gone by now: the line then says everything instead of what differs. */
async function imageOf(
  client: Client,
  container: ContainerInspect,
): Promise<ImageInspect | undefined> {
  try {
    return await client.images.inspect(container.Image);
  } catch (error) {
    if (kindOf(error) === 'not-found') return undefined;
    throw error;
  }
}
