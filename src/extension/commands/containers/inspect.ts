/** `pinnace.container.inspect` and `pinnace.container.processes`: what the engine knows, as read-only documents. */
import type { Command, Desk } from '../desk.ts';
import type { ContainerNode } from '../../views/nodes.ts';
import { chooseMany, chooseOne, CONTAINERS } from '../targets.ts';

export const inspect: Command = {
  id: 'pinnace.container.inspect',
  title: 'Inspect',
  category: 'Pinnace Containers',
  icon: '$(info)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: 'Inspect which containers?',
      none: 'There is no container.',
    });
    const { client } = await desk.engines.ready();
    for (const node of nodes ?? []) {
      const answer = await client.containers.inspect(node.id);
      await desk.show({
        name: `${node.name}.json`,
        text: `${JSON.stringify(answer, null, 2)}\n`,
        language: 'json',
      });
    }
  },
};

/** The documents' names: the button in their title finds the container by it. */
const PROCESSES = /^\/?Processes of (.+)$/;

export const processes: Command = {
  id: 'pinnace.container.processes',
  title: 'Show Processes',
  category: 'Pinnace Containers',
  icon: '$(list-tree)',
  run: async (desk, targets) => {
    const node = await chooseOne(desk, CONTAINERS, targets, {
      title: 'Show the processes of which container?',
      accept: ({ summary }) => summary.State === 'running' || summary.State === 'paused',
      none: 'No container is running.',
    });
    if (node !== undefined) await showProcesses(desk, node);
  },
};

export const refreshProcesses: Command = {
  id: 'pinnace.container.refreshProcesses',
  title: 'Refresh Processes',
  category: 'Pinnace Containers',
  icon: '$(refresh)',
  run: async (desk, targets, argument) => {
    const path =
      typeof argument === 'object' && argument !== null && 'path' in argument ? argument.path : '';
    const name = PROCESSES.exec(typeof path === 'string' ? path : '')?.[1];
    if (name === undefined) return processes.run(desk, targets, undefined);
    await showProcesses(desk, { id: name, name });
  },
};

async function showProcesses(desk: Desk, node: Pick<ContainerNode, 'id' | 'name'>): Promise<void> {
  const { client } = await desk.engines.ready();
  const { Titles, Processes } = await client.containers.top(node.id);
  await desk.show({ name: `Processes of ${node.name}`, text: tableText([Titles, ...Processes]) });
}

/** Columns side by side, two spaces between them; numbers stand to the right, the last column is left as it is. */
export function tableText(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}/gu, '·')));
  const columns = Math.max(0, ...clean.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(0, ...clean.map((row) => row[column]?.length ?? 0)),
  );
  const numeric = widths.map((_, column) =>
    clean.slice(1).every((row) => /^[\d.:%-]*$/.test(row[column] ?? '')),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        if (column === columns - 1) return cell;
        const width = widths[column] ?? 0;
        return numeric[column] === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  return `${clean.map(line).join('\n')}\n`;
}
