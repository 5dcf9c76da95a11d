/** `pinnace.container.rename`: asks for the new name, with the rule that engines have for names. */
import type { Command } from '../desk.ts';
import { forEach } from '../each.ts';
import { chooseOne, CONTAINERS } from '../targets.ts';

/** What is wrong with a container's name, or undefined; the rule of moby's daemon/names. */
export function nameProblem(name: string): string | undefined {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return undefined;
  return 'A name has two characters or more: letters, digits, and after the first _ . and -';
}

export const rename: Command = {
  id: 'pinnace.container.rename',
  title: 'Rename…',
  category: 'Pinnace Containers',
  run: async (desk, targets) => {
    const node = await chooseOne(desk, CONTAINERS, targets, {
      title: 'Rename which container?',
      none: 'There is no container.',
    });
    if (node === undefined) return;
    const name = await desk.ask({
      title: `Rename ${node.name}`,
      prompt: 'New name',
      value: node.name,
      check: nameProblem,
    });
    if (name === undefined || name === node.name) return;
    const { client } = await desk.engines.ready();
    await forEach(desk, {
      doing: 'Renaming',
      verb: 'rename',
      one: 'container',
      items: [node],
      name: (item) => item.name,
      run: (item) => client.containers.rename(item.id, name),
    });
  },
};
