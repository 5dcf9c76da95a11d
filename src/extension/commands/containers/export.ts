/** `pinnace.container.export`: writes a container's files as one tar archive. */
import { saveStream } from '../save-stream.ts';
import type { Command } from '../desk.ts';
import { chooseOne, CONTAINERS } from '../targets.ts';

export const exportFiles: Command = {
  id: 'pinnace.container.export',
  title: 'Export…',
  category: 'Pinnace Containers',
  icon: '$(save)',
  run: async (desk, targets) => {
    const node = await chooseOne(desk, CONTAINERS, targets, {
      title: 'Export which container?',
      none: 'There is no container.',
    });
    if (node === undefined) return;
    const path = await desk.chooseTarget({
      title: `Export ${node.name}`,
      name: `${node.name}.tar`,
    });
    if (path === undefined) return;
    const { client } = await desk.engines.ready();
    await saveStream(desk, {
      title: `Exporting ${node.name}`,
      path,
      open: (signal) => client.containers.export(node.id, { signal }),
    });
  },
};
