/** The commands that group, sort, filter and renew the trees: each tree has its own set of the same kind. They write the arrangement and touch no tree. */
import { EngineError } from '../../../lib/errors.ts';
import type { HoldingKind } from '../../live/store.ts';
import {
  ARRANGEMENTS,
  type Arrangement,
  LABEL,
  memoryKey,
  type Option,
  readArrangement,
  type TreeName,
} from '../../views/arrangement.ts';
import { sent } from '../../views/containers/facts.ts';
import { plural } from '../../views/text.ts';
import type { Command, Desk, PickItem } from '../desk.ts';

/** Tells the trees to read an arrangement again: `(tree, filter?)`, the filter while it is being typed. Not for people. */
export const ARRANGE = 'pinnace.explorer.arrange';

const KINDS: Readonly<Record<TreeName, HoldingKind>> = {
  containers: 'container',
  images: 'image',
  volumes: 'volume',
  networks: 'network',
};

async function change(desk: Desk, tree: TreeName, to: Partial<Arrangement>): Promise<void> {
  const now = readArrangement(desk.workspaceMemory, tree);
  await desk.workspaceMemory.set(memoryKey(tree), { ...now, ...to });
  await desk.execute(ARRANGE, tree);
}

function title(tree: TreeName): string {
  return tree.charAt(0).toUpperCase() + tree.slice(1);
}

function filter(tree: TreeName): Command {
  return {
    id: `pinnace.${tree}.filter`,
    title: `Filter ${title(tree)}…`,
    icon: '$(filter)',
    run: async (desk) => {
      const before = readArrangement(desk.workspaceMemory, tree).filter;
      const text = await desk.ask({
        title: `Filter ${tree}`,
        prompt: `Shows those that have all of these words in their ${ARRANGEMENTS[tree].filtered}. Empty: all.`,
        placeholder: 'Words',
        value: before,
        check: (typed) => {
          void desk.execute(ARRANGE, tree, typed.trim());
          return undefined;
        },
      });
      if (text === undefined) await desk.execute(ARRANGE, tree);
      else await change(desk, tree, { filter: text.trim() });
    },
  };
}

function clearFilter(tree: TreeName): Command {
  return {
    id: `pinnace.${tree}.clearFilter`,
    title: `Clear Filter of ${title(tree)}`,
    icon: '$(clear-all)',
    run: (desk) => change(desk, tree, { filter: '' }),
  };
}

/** The one that is chosen now is marked. */
function choices(options: readonly Option[], now: string): PickItem<string>[] {
  return options.map(({ id, label }) => {
    const chosen = id === now || (id === LABEL && now.startsWith(LABEL));
    const name = id === LABEL && chosen ? ` (${now.slice(LABEL.length)})` : '';
    return { label, value: id, ...(chosen ? { description: `now${name}` } : {}) };
  });
}

function group(tree: TreeName): Command {
  return {
    id: `pinnace.${tree}.group`,
    title: `Group ${title(tree)} By…`,
    icon: '$(list-tree)',
    run: async (desk) => {
      const now = readArrangement(desk.workspaceMemory, tree).group;
      const chosen = await desk.pick(`Group ${tree} by`, choices(ARRANGEMENTS[tree].groups, now));
      const to = chosen === LABEL ? await chooseLabel(desk) : chosen;
      if (to !== undefined) await change(desk, tree, { group: to });
    },
  };
}

async function chooseLabel(desk: Desk): Promise<string | undefined> {
  await desk.live.loaded();
  const counts = new Map<string, number>();
  for (const summary of desk.live.all('container').values()) {
    for (const key of Object.keys(sent(summary).Labels ?? {})) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  if (counts.size === 0) {
    throw new EngineError('conflict', 'No container has a label to group by.');
  }
  const items = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  const key = await desk.pick(
    'Group containers by which label?',
    items.map(([label, number]) => ({
      label,
      description: plural(number, 'container'),
      value: label,
    })),
  );
  return key === undefined ? undefined : `${LABEL}${key}`;
}

function sort(tree: TreeName): Command {
  return {
    id: `pinnace.${tree}.sort`,
    title: `Sort ${title(tree)} By…`,
    icon: '$(sort-precedence)',
    run: async (desk) => {
      const now = readArrangement(desk.workspaceMemory, tree).sort;
      const chosen = await desk.pick(`Sort ${tree} by`, choices(ARRANGEMENTS[tree].sorts, now));
      if (chosen !== undefined) await change(desk, tree, { sort: chosen });
    },
  };
}

function refresh(tree: TreeName): Command {
  return {
    id: `pinnace.${tree}.refresh`,
    title: `Refresh ${title(tree)}`,
    icon: '$(refresh)',
    run: async (desk) => {
      await desk.engines.ready();
      await desk.live.refresh(KINDS[tree]);
    },
  };
}

/** The commands of one tree; those that it has nothing to choose for are left out. */
export function arranging(tree: TreeName): readonly Command[] {
  const { groups } = ARRANGEMENTS[tree];
  return [
    filter(tree),
    clearFilter(tree),
    ...(groups.length > 0 ? [group(tree)] : []),
    sort(tree),
    refresh(tree),
  ];
}
