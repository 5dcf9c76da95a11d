/** The view of builds as a tree model: builds, beneath them their steps. Holds the nodes; asks the journal. Knows no editor. */
import type { BuildRecord, BuildStep } from '../../lib/api/builds.ts';
import type { BuildNode, BuildStepNode, Node } from '../views/nodes.ts';
import { type Changed, type Hover, Listeners, type Row, type TreeModel } from '../views/row.ts';
import type { BuildJournal } from './journal.ts';
import { titleOf } from './request.ts';
import { buildRow, type BuildRow, stepRow } from './rows.ts';

/** What a click on a row runs; it gets the node. */
const OPEN = 'pinnace.build.open';

export class BuildTree implements TreeModel {
  private readonly journal: BuildJournal;
  private readonly now: () => number;
  private readonly nodes = new Map<string, BuildNode>();
  private readonly steps = new WeakMap<BuildStepNode, { step: BuildStep; record: BuildRecord }>();
  private readonly known = new Map<string, readonly BuildStepNode[]>();
  private readonly listeners = new Listeners<Changed<Node>>();

  constructor(journal: BuildJournal, now: () => number) {
    this.journal = journal;
    this.now = now;
    journal.onDidChange(() => this.listeners.call('all'));
  }

  async children(element: Node | undefined): Promise<readonly Node[]> {
    if (element === undefined) return this.journal.entries().map(({ key }) => this.node(key));
    if (element.kind !== 'build') return [];
    const record = await this.journal.record(element.key);
    const before = this.known.get(element.key) ?? [];
    const nodes = record.stepList.map((step): BuildStepNode => {
      const node = before[step.index] ?? {
        kind: 'build-step',
        build: element.key,
        index: step.index,
      };
      this.steps.set(node, { step, record });
      return node;
    });
    this.known.set(element.key, nodes);
    return nodes;
  }

  parent(element: Node): Node | undefined {
    return element.kind === 'build-step' ? this.nodes.get(element.build) : undefined;
  }

  row(element: Node): Row {
    const found = this.find(element);
    const id =
      element.kind === 'build-step'
        ? `build/${element.build}/${String(element.index)}`
        : `build/${element.kind === 'build' ? element.key : ''}`;
    const title = 'Show Build';
    return {
      id,
      label: found?.label ?? 'A build that was forgotten',
      context: found?.contextValue ?? 'message info',
      fold: element.kind === 'build' ? 'closed' : 'leaf',
      accessible: found?.spoken ?? 'A build that was forgotten',
      ...(found === undefined ? {} : { description: found.description, icon: iconOf(found) }),
      command: { id: OPEN, title, arguments: [element] },
    };
  }

  hover(element: Node): Hover | undefined {
    const found = this.find(element);
    if (found === undefined) return undefined;
    return { markdown: found.tooltip.map(escapeMarkdown).join('  \n'), commands: [] };
  }

  onDidChange(listener: (changed: Changed<Node>) => void): { dispose(): void } {
    return this.listeners.add(listener);
  }

  private node(key: string): BuildNode {
    const entry = this.journal.entry(key);
    const label = entry === undefined ? key : titleOf(entry.summary);
    const known = this.nodes.get(key) ?? { kind: 'build', key, label };
    this.nodes.set(key, known);
    return known;
  }

  private find(element: Node): BuildRow | undefined {
    if (element.kind === 'build-step') {
      const found = this.steps.get(element);
      return found && stepRow(found.step, found.record);
    }
    const entry = element.kind === 'build' ? this.journal.entry(element.key) : undefined;
    return entry && buildRow(entry, this.now());
  }
}

function iconOf({ icon, color }: BuildRow): NonNullable<Row['icon']> {
  return color === undefined ? { name: icon } : { name: icon, color };
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+\-.!|<>&~$]/g, (mark) =>
    mark === '<' ? '&lt;' : mark === '&' ? '&amp;' : `\\${mark}`,
  );
}
