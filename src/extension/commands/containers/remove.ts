/** `pinnace.container.remove`: asks once for all, says which of them run, and asks about volumes that would be left without an owner. */
import type { ContainerNode } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { forEach, named } from '../each.ts';
import { chooseMany, CONTAINERS } from '../targets.ts';
import { isUp } from './lifecycle.ts';

/** Volumes without a name of the user's own are called by 64 hexadecimal digits. */
const ANONYMOUS = /^[0-9a-f]{64}$/;

export const remove: Command = {
  id: 'pinnace.container.remove',
  title: 'Remove…',
  category: 'Pinnace Containers',
  icon: '$(trash)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: 'Remove which containers?',
      none: 'There is no container.',
    });
    if (nodes === undefined) return;
    const { what, list } = named(nodes, 'container', (node) => node.name);
    const running = nodes.filter((node) => isUp(node.summary.State)).length;
    const confirmed = await desk.confirm({
      message: `Remove ${what}?`,
      detail: [
        list,
        runningText(running, nodes.length),
        'What it wrote outside of volumes is lost.',
      ]
        .filter((line) => line !== '')
        .join('\n'),
      action: running > 0 ? 'Stop and Remove' : 'Remove',
    });
    if (!confirmed) return;
    const volumes = await volumesToo(desk, nodes);
    if (volumes === undefined) return;
    const { client } = await desk.engines.ready();
    await forEach(desk, {
      doing: 'Removing',
      verb: 'remove',
      one: 'container',
      items: nodes,
      name: (node) => node.name,
      run: (node, signal) =>
        client.containers.remove(node.id, {
          force: isUp(node.summary.State),
          volumes: volumes === 'remove',
          signal,
        }),
    });
  },
};

function runningText(running: number, all: number): string {
  if (running === 0) return '';
  if (all === 1) return 'It is running and will be killed.';
  return `${String(running)} of them ${running === 1 ? 'is' : 'are'} running and will be killed.`;
}

/** Asks only where an anonymous volume would be left behind; undefined when the user went away. */
async function volumesToo(
  desk: Parameters<Command['run']>[0],
  nodes: readonly ContainerNode[],
): Promise<'keep' | 'remove' | undefined> {
  const anonymous = nodes.flatMap((node) =>
    // Podman leaves the list out for containers without mounts.
    ((node.summary.Mounts as typeof node.summary.Mounts | undefined) ?? []).filter(
      (mount) => mount.Type === 'volume' && ANONYMOUS.test(mount.Name ?? ''),
    ),
  );
  if (anonymous.length === 0) return 'keep';
  return desk.pick<'keep' | 'remove'>(
    anonymous.length === 1
      ? 'Remove its anonymous volume too?'
      : `Remove the ${String(anonymous.length)} anonymous volumes too?`,
    [
      {
        label: 'Remove',
        description: 'nothing else can find their files by name',
        value: 'remove',
      },
      { label: 'Keep', description: 'they stay in the Volumes view', value: 'keep' },
    ],
  );
}
