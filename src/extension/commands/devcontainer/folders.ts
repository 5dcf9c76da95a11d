/** Which folder or dev container a command is about: the selected row, the window's folder, or the one that is picked. */
import { LOCAL_FOLDER } from '../../../lib/devcontainer/labels.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { ContainerSummary } from '../../../lib/api/containers.ts';
import type { DevContainerNode, Node } from '../../views/nodes.ts';
import type { Desk } from '../desk.ts';

/** Undefined when the user chose none. Throws `conflict` when no folder of this machine is open. */
export async function folderOf(
  desk: Desk,
  targets: readonly Node[],
  argument: unknown,
  title: string,
): Promise<string | undefined> {
  const target = targets[0];
  if (target?.kind === 'devcontainer') return target.folder;
  if (typeof argument === 'string') return argument;
  const folders = desk.folders();
  if (folders.length === 0)
    throw new EngineError('conflict', 'no folder of this machine is open; open one first');
  if (folders.length === 1) return folders[0]?.path;
  return desk.pick(
    title,
    folders.map(({ name, path }) => ({ label: name, description: path, value: path })),
  );
}

/** The selected dev containers, or the one that is picked. */
export async function devContainerOf(
  desk: Desk,
  targets: readonly Node[],
  choice: {
    readonly title: string;
    readonly accept?: (summary: ContainerSummary) => boolean;
    readonly none: string;
  },
): Promise<readonly DevContainerNode[]> {
  const selected = targets.filter((node) => node.kind === 'devcontainer');
  if (selected.length > 0) return selected;
  const { client } = await desk.engines.ready();
  const all = await client.containers.list({ all: true, filters: { label: [LOCAL_FOLDER] } });
  const nodes = all.filter(choice.accept ?? (() => true)).map(devContainerNode);
  if (nodes.length === 0) throw new EngineError('conflict', choice.none);
  const picked = await desk.pick(
    choice.title,
    nodes.map((node) => ({
      label: node.name,
      description: node.folder,
      detail: node.summary.Status,
      value: node,
    })),
  );
  return picked === undefined ? [] : [picked];
}

function devContainerNode(summary: ContainerSummary): DevContainerNode {
  return {
    kind: 'devcontainer',
    id: summary.Id,
    name: (summary.Names[0] ?? summary.Id.slice(0, 12)).replace(/^\//, ''),
    folder: summary.Labels[LOCAL_FOLDER] ?? '',
    summary,
  };
}
