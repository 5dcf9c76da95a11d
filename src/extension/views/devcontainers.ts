/** The tree of dev containers: one row for each, by folder, with its state. Pure; it reads the live store and asks no engine. */
import type { ContainerSummary } from '../../lib/api/containers.ts';
import { LOCAL_FOLDER } from '../../lib/devcontainer/labels.ts';
import type { Listener } from '../engine/engines.ts';
import type { LiveStore } from '../live/store.ts';
import { firstAnswer } from './loading.ts';
import type { DevContainerNode, Node } from './nodes.ts';
import { type Changed, type Hover, Listeners, type Row, type TreeModel } from './row.ts';
import { clean, escapeMarkdown } from './text.ts';

type Held = { -readonly [K in keyof DevContainerNode]: DevContainerNode[K] };

export class DevContainersModel implements TreeModel {
  private readonly live: LiveStore;
  private readonly nodes = new Map<string, Held>();
  private readonly listeners = new Listeners<Changed<Node>>();
  private heard: readonly Listener[] | undefined;

  constructor(live: LiveStore) {
    this.live = live;
  }

  async children(element: Node | undefined): Promise<readonly Node[]> {
    if (element !== undefined) return [];
    this.heard ??= [
      this.live.onDidChange((change) => {
        if (change.kind === 'container') this.listeners.call('all');
      }),
      this.live.onDidChangeState(() => this.listeners.call('all')),
    ];
    await firstAnswer(this.live);
    const found = [...this.live.all('container').values()].filter(
      ({ Labels }) => (Labels[LOCAL_FOLDER] ?? '') !== '',
    );
    const ids = new Set(found.map(({ Id }) => Id));
    for (const id of this.nodes.keys()) if (!ids.has(id)) this.nodes.delete(id);
    return found
      .map((summary) => this.nodeOf(summary))
      .sort((a, b) => a.folder.localeCompare(b.folder) || a.name.localeCompare(b.name));
  }

  parent(): undefined {
    return undefined;
  }

  row(element: Node): Row {
    return devContainerRow(element as DevContainerNode);
  }

  hover(element: Node): Hover {
    const { name, folder, summary } = element as DevContainerNode;
    const lines = [
      `**${escapeMarkdown(folder)}**`,
      '',
      `Container: ${escapeMarkdown(name)}`,
      '',
      `Image: ${escapeMarkdown(summary.Image)}`,
      '',
      escapeMarkdown(summary.Status),
    ];
    return { markdown: lines.join('\n'), commands: [] };
  }

  onDidChange(listener: (changed: Changed<Node>) => void): Listener {
    return this.listeners.add(listener);
  }

  dispose(): void {
    for (const listener of this.heard ?? []) listener.dispose();
    this.heard = undefined;
  }

  private nodeOf(summary: ContainerSummary): DevContainerNode {
    const known = this.nodes.get(summary.Id);
    const facts = {
      name: (summary.Names[0] ?? summary.Id.slice(0, 12)).replace(/^\//, ''),
      folder: summary.Labels[LOCAL_FOLDER] ?? '',
      summary,
    };
    if (known !== undefined) return Object.assign(known, facts);
    const node: Held = { kind: 'devcontainer', id: summary.Id, ...facts };
    this.nodes.set(summary.Id, node);
    return node;
  }
}

export function devContainerRow({ id, name, folder, summary }: DevContainerNode): Row {
  const running = summary.State === 'running';
  const label = clean(folder.split('/').findLast((part) => part !== '') ?? folder);
  return {
    id: `devcontainer/${id}`,
    label,
    description: `${clean(name)} · ${running ? 'running' : clean(summary.State)}`,
    icon: running
      ? { name: 'vm-active', color: 'charts.green' }
      : { name: 'vm-outline', color: 'disabledForeground' },
    context: `devcontainer ${summary.State}`,
    fold: 'leaf',
    accessible: `dev container of ${clean(folder)}, ${running ? 'running' : clean(summary.State)}`,
  };
}
