/** What Enter does in the trees: shows what is behind a row. Asks no engine itself. */
import type { Node } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';

const INSPECTS: Partial<Readonly<Record<Node['kind'], string>>> = {
  container: 'pinnace.container.inspect',
  image: 'pinnace.image.inspect',
  volume: 'pinnace.volume.inspect',
  network: 'pinnace.network.inspect',
  port: 'pinnace.port.open',
};

export const openRow: Command = {
  id: 'pinnace.explorer.open',
  title: 'Open Row',
  run: async (desk, targets) => {
    const [first] = targets;
    const inspect = first === undefined ? undefined : INSPECTS[first.kind];
    // Headings and layers are unfolded, as the editor's own Enter does.
    if (inspect === undefined) await desk.execute('list.toggleExpand');
    else await desk.execute(inspect, first, targets);
  },
};
