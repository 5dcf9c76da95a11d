/** Making, removing and pruning volumes; a volume's files are gone with it, so each is asked for by name. */
import type { Client } from '../../../client/api/client.ts';
import { standInsOf } from '../../../client/files/stand-ins.ts';
import { EngineError } from '../../../lib/errors.ts';
import { sizeText } from '../../../lib/text/amounts.ts';
import type { ContainerNode } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { count, forEach, named } from '../each.ts';
import { confirmRemoval, pickUnused } from '../removal.ts';
import { chooseMany, CONTAINERS, VOLUMES } from '../targets.ts';

/** The rule of moby's volume names. */
function nameProblem(name: string): string | undefined {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name.trim())) return undefined;
  return 'A name has two characters or more: letters, digits, and after the first _ . and -';
}

export const create: Command = {
  id: 'pinnace.volume.create',
  title: 'Create…',
  category: 'Pinnace Volumes',
  icon: '$(add)',
  run: async (desk) => {
    const { client } = await desk.engines.ready();
    const taken = new Set((await VOLUMES.list(client)).map(({ name }) => name));
    const name = await desk.ask({
      title: 'Create Volume',
      prompt: 'Name of the volume',
      check: (text) =>
        taken.has(text.trim()) ? `There is a volume ${text.trim()}` : nameProblem(text),
    });
    if (name === undefined) return;
    await client.volumes.create({ Name: name.trim() });
  },
};

export const remove: Command = {
  id: 'pinnace.volume.remove',
  title: 'Remove…',
  category: 'Pinnace Volumes',
  icon: '$(trash)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, VOLUMES, targets, {
      title: 'Remove which volumes?',
      none: 'There is no volume.',
    });
    if (nodes === undefined) return;
    const { client } = await desk.engines.ready();
    const names = new Set(nodes.map(({ name }) => name));
    const users = (await volumeUsers(client)).filter(({ volume }) => names.has(volume));
    if (users.length > 0) {
      const used = users.map(({ volume, container }) => `${volume} by ${container.name}`);
      throw new EngineError(
        'conflict',
        `Still used: ${used.slice(0, 10).join(', ')}. Remove the containers first.`,
      );
    }
    const which = named(nodes, 'volume', ({ name }) => name);
    if (!(await confirmRemoval(desk, which, 'The files in it are lost.'))) return;
    await standInsOf(client).releaseIdle();
    await forEach(desk, {
      doing: 'Removing',
      verb: 'remove',
      one: 'volume',
      items: nodes,
      name: ({ name }) => name,
      run: ({ name }) => client.volumes.remove(name),
    });
  },
};

const ANONYMOUS = /^[0-9a-f]{64}$/;

export const prune: Command = {
  id: 'pinnace.volume.prune',
  title: 'Remove Unused…',
  category: 'Pinnace Volumes',
  icon: '$(clear-all)',
  run: async (desk) => {
    const { client } = await desk.engines.ready();
    const used = new Set((await volumeUsers(client)).map(({ volume }) => volume));
    const unused = (await VOLUMES.list(client)).filter(({ name }) => !used.has(name));
    if (unused.length === 0)
      throw new EngineError('conflict', 'Every volume is used by a container.');
    const going = await pickUnused(desk, 'Remove which volumes?', {
      nameless: {
        items: unused.filter(({ name }) => ANONYMOUS.test(name)),
        detail: 'Made for a container that is gone',
        none: 'No unused volume is without a name.',
      },
      all: { items: unused, detail: 'Also those that somebody named' },
      describe: ({ length }) => count(length, 'volume'),
    });
    if (going === undefined) return;
    const which = named(going, 'volume', ({ name }) => name.slice(0, 24));
    if (!(await confirmRemoval(desk, which, 'Their files are lost.'))) return;
    await standInsOf(client).releaseIdle();
    // One by one: what the prune of older engines takes along is not what was asked for.
    const removed = await forEach(desk, {
      doing: 'Removing',
      verb: 'remove',
      one: 'volume',
      items: going,
      name: ({ name }) => name,
      run: ({ name }) => client.volumes.remove(name),
    });
    const space = removed.reduce(
      (sum, { info }) => sum + Math.max(0, info.UsageData?.Size ?? 0),
      0,
    );
    await desk.inform(
      `Removed ${count(removed.length, 'volume')}${space === 0 ? '' : `; ${sizeText(space)} came free`}.`,
    );
  },
};

/** Which container has which volume mounted, also those that are stopped. */
export async function volumeUsers(
  client: Client,
): Promise<readonly { readonly volume: string; readonly container: ContainerNode }[]> {
  return (await CONTAINERS.list(client)).flatMap((container) =>
    // Podman leaves the list out for containers without mounts.
    ((container.summary.Mounts as typeof container.summary.Mounts | null) ?? []).flatMap((mount) =>
      mount.Type === 'volume' && mount.Name !== undefined
        ? [{ volume: mount.Name, container }]
        : [],
    ),
  );
}
