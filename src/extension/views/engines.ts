/** What the engines look like as rows, and how their tree follows them. Pure. */
import { stateText } from '../engine/describe.ts';
import { lackingText } from '../engine/features.ts';
import type { Engine, Engines, Listener } from '../engine/engines.ts';
import type { EngineNode } from './nodes.ts';
import {
  type Changed,
  type Hover,
  Listeners,
  type Row,
  type RowIcon,
  type TreeModel,
} from './row.ts';
import { clean, escapeMarkdown } from './text.ts';

const KINDS = { pinnace: 'Pinnace', docker: 'Docker', podman: 'Podman', other: 'Engine' } as const;

function icon({ state }: Engine, active: boolean): RowIcon {
  switch (state.kind) {
    case 'off':
      return { name: 'circle-outline' };
    case 'connecting':
      return { name: 'sync~spin' };
    case 'failed':
      return { name: 'warning', color: 'list.warningForeground' };
    case 'ready':
      return active ? { name: 'pass-filled', color: 'charts.green' } : { name: 'vm-running' };
  }
}

/** `own`: named in the settings, so that it can be taken out of them. */
function engineRow(
  engine: Engine,
  { active, own }: { readonly active: boolean; readonly own: boolean },
): Row {
  const { id, label } = engine.entry;
  const state = stateText(engine);
  const words = [
    'engine',
    engine.state.kind,
    ...(id === 'pinnace' ? ['bundled'] : []),
    ...(active ? ['active'] : ['inactive']),
    ...(own ? ['own'] : []),
  ];
  return {
    id,
    label: clean(label),
    description: active ? `${state} · in use` : state,
    icon: icon(engine, active),
    context: words.join(' '),
    fold: 'leaf',
    accessible: [clean(label), state, ...(active ? ['in use'] : [])].join(', '),
  };
}

function engineHover(engine: Engine): Hover {
  const { entry, state } = engine;
  const facts: (readonly [string, string])[] = [
    ['Kind', KINDS[entry.kind]],
    ['Address', entry.address],
  ];
  if (state.kind === 'ready') {
    facts.push(['Version', state.version]);
    if (state.info !== undefined)
      facts.push(
        ['Mode', state.info.mode],
        ['Data', state.info.dataRoot],
        ['Process', String(state.info.pid)],
      );
  }
  // The reason of every action that is greyed.
  const lacking = state.kind === 'ready' ? lackingText((feature) => engine.has(feature)) : '';
  if (lacking !== '') facts.push(['Not here', lacking]);
  if (state.kind === 'failed') facts.push(['Problem', state.message]);
  const rows = facts.map(([name, value]) => `| ${name} | ${escapeMarkdown(value)} |`);
  const markdown = `**${escapeMarkdown(entry.label)}**\n\n| | |\n|---|---|\n${rows.join('\n')}\n`;
  return { markdown, commands: [] };
}

export interface EngineTree extends TreeModel<EngineNode>, Listener {}

export function engineTree(engines: Engines, isOwn: (id: string) => boolean): EngineTree {
  const changed = new Listeners<Changed<EngineNode>>();
  const nodes = new Map<string, EngineNode>();
  let shown: readonly string[] = [];
  const engineOf = (id: string): Engine | undefined =>
    engines.all.find(({ entry }) => entry.id === id);
  const nodeOf = (id: string): EngineNode => {
    const node = nodes.get(id) ?? { kind: 'engine', id };
    nodes.set(id, node);
    return node;
  };
  const heard = engines.onDidChange(() => {
    const ids = engines.all.map(({ entry }) => entry.id);
    const same = ids.length === shown.length && ids.every((id, at) => id === shown[at]);
    // While the whole tree is made anew, a click on a row has no row.
    changed.call(same ? ids.map(nodeOf) : 'all');
  });
  return {
    children: (element) => {
      if (element !== undefined) return [];
      shown = engines.all.map(({ entry }) => entry.id);
      return shown.map(nodeOf);
    },
    parent: () => undefined,
    row: ({ id }) => {
      const engine = engineOf(id);
      if (engine === undefined) return goneRow(id);
      return engineRow(engine, { active: engines.active === engine, own: isOwn(id) });
    },
    hover: ({ id }) => {
      const engine = engineOf(id);
      return engine === undefined ? undefined : engineHover(engine);
    },
    onDidChange: (listener) => changed.add(listener),
    dispose: () => heard.dispose(),
  };
}

/** Taken out of the list between two questions of the editor. */
function goneRow(id: string): Row {
  return { id, label: clean(id), context: 'engine gone', fold: 'leaf', accessible: clean(id) };
}
