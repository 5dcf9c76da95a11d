/** `pinnace.image.remove`: takes a name away, and with an image's last name the image; says which containers hold it. */
import type { Client } from '../../../client/api/client.ts';
import { standInsOf } from '../../../client/files/stand-ins.ts';
import type { ContainerNode, ImageNode } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { forEach, named } from '../each.ts';
import { chooseMany, CONTAINERS, imageName, imageNodes, IMAGES } from '../targets.ts';

export const remove: Command = {
  id: 'pinnace.image.remove',
  title: 'Remove…',
  category: 'Pinnace Images',
  icon: '$(trash)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, IMAGES, targets, {
      title: 'Remove which images?',
      none: 'There is no image.',
    });
    if (nodes === undefined) return;
    const { client } = await desk.engines.ready();
    const users = await usersOf(client, nodes);
    const { what, list } = named(nodes, 'image', imageName);
    const confirmed = await desk.confirm({
      message: `Remove ${what}?`,
      detail: [list, otherNames(nodes), usersText(users)].filter((line) => line !== '').join('\n'),
      action: users.length > 0 ? 'Remove by Force' : 'Remove',
    });
    if (!confirmed) return;
    await standInsOf(client).releaseIdle();
    await forEach(desk, {
      doing: 'Removing',
      verb: 'remove',
      one: 'image',
      items: nodes,
      name: imageName,
      run: (node, signal) =>
        client.images.remove(node.reference, {
          // An image with several names is removed by its id only by force.
          force:
            users.length > 0 || (node.reference === node.id && imageNodes(node.summary).length > 1),
          signal,
        }),
    });
  },
};

/** Containers made from an image that loses its last name. */
async function usersOf(client: Client, nodes: readonly ImageNode[]): Promise<ContainerNode[]> {
  const names = new Set(nodes.map(({ reference }) => reference));
  const going = new Set(
    nodes
      .filter((node) => imageNodes(node.summary).every(({ reference }) => names.has(reference)))
      .map(({ id }) => id),
  );
  return (await CONTAINERS.list(client)).filter(({ summary }) => going.has(summary.ImageID));
}

function usersText(users: readonly ContainerNode[]): string {
  if (users.length === 0) return '';
  const names = users.slice(0, 10).map(({ name }) => name);
  const more =
    users.length > names.length ? ` and ${String(users.length - names.length)} more` : '';
  return `Used by ${users.length === 1 ? 'the container' : 'the containers'} ${names.join(', ')}${more}. Forcing takes the name away; running containers keep the files.`;
}

/** The image stays where it has a name that is not removed. */
function otherNames(nodes: readonly ImageNode[]): string {
  const [only] = nodes;
  if (nodes.length !== 1 || only === undefined) return '';
  const others = imageNodes(only.summary)
    .map(({ reference }) => reference)
    .filter((reference) => reference !== only.reference);
  return others.length === 0 || only.reference === only.id
    ? ''
    : `The image stays as ${others.join(', ')}.`;
}
