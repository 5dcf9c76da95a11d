/** How the trees are grouped, sorted and filtered: the choices there are, and those made, remembered per workspace. Pure. */
import type { Memory } from '../commands/desk.ts';
import type { Listener } from '../engine/engines.ts';
import { Listeners } from './row.ts';

export const TREES = ['containers', 'images', 'volumes', 'networks'] as const;
export type TreeName = (typeof TREES)[number];

export interface Arrangement {
  /** One of the tree's groupings, or `label:KEY` for containers. */
  readonly group: string;
  readonly sort: string;
  /** Words that a row must have; '' shows all. */
  readonly filter: string;
}

export interface Option {
  readonly id: string;
  readonly label: string;
}

export interface TreeOptions {
  /** The first one is what is shown at first. */
  readonly groups: readonly Option[];
  readonly sorts: readonly Option[];
  /** What the filter looks at, for the filter's box. */
  readonly filtered: string;
}

export const LABEL = 'label:';

const NAME: Option = { id: 'name', label: 'Name' };
const NEWEST: Option = { id: 'created', label: 'Newest first' };

export const ARRANGEMENTS: Readonly<Record<TreeName, TreeOptions>> = {
  containers: {
    groups: [
      { id: 'compose', label: 'Compose project' },
      { id: 'status', label: 'Status' },
      { id: LABEL, label: 'A label…' },
      { id: 'none', label: 'No groups' },
    ],
    sorts: [NAME, NEWEST, { id: 'status', label: 'Status, running first' }],
    filtered: 'name, image, id, state, project or port',
  },
  images: {
    groups: [
      { id: 'repository', label: 'Repository' },
      { id: 'none', label: 'No groups' },
    ],
    sorts: [NAME, NEWEST, { id: 'size', label: 'Largest first' }],
    filtered: 'repository, tag or id',
  },
  volumes: {
    groups: [],
    sorts: [NAME, NEWEST],
    filtered: 'name, driver or label',
  },
  networks: {
    groups: [],
    sorts: [NAME, NEWEST],
    filtered: 'name, driver, subnet or label',
  },
};

const LONGEST_FILTER = 200;

/** Where an arrangement is kept in the workspace's memory. */
export function memoryKey(tree: TreeName): string {
  return `explorer.${tree}`;
}

/** The remembered choices; what is not one of the choices, or not there, is the first one. */
export function readArrangement(memory: Memory, tree: TreeName): Arrangement {
  const { groups, sorts } = ARRANGEMENTS[tree];
  const kept = memory.get(memoryKey(tree));
  const field = (name: string): string => {
    if (typeof kept !== 'object' || kept === null) return '';
    const value: unknown = Reflect.get(kept, name);
    return typeof value === 'string' ? value.slice(0, LONGEST_FILTER) : '';
  };
  const group = field('group');
  const sort = field('sort');
  const known =
    groups.some(({ id }) => id === group && id !== LABEL) ||
    (tree === 'containers' && group.startsWith(LABEL) && group.length > LABEL.length);
  return {
    group: known ? group : (groups[0]?.id ?? 'none'),
    sort: sorts.some(({ id }) => id === sort) ? sort : 'name',
    filter: field('filter'),
  };
}

/** The arrangements in force, read from the memory when they are asked for first and when they are said to have changed. */
export class Arrangements {
  private readonly memory: Memory;
  private readonly read = new Map<TreeName, Arrangement>();
  private readonly listeners = new Listeners<TreeName>();

  constructor(memory: Memory) {
    this.memory = memory;
  }

  of(tree: TreeName): Arrangement {
    const known = this.read.get(tree);
    if (known !== undefined) return known;
    const read = readArrangement(this.memory, tree);
    this.read.set(tree, read);
    return read;
  }

  /** Reads again; `filter` is in force in its place while it is being typed. */
  reload(tree: TreeName, filter?: string): void {
    const read = readArrangement(this.memory, tree);
    this.read.set(tree, filter === undefined ? read : { ...read, filter });
    this.listeners.call(tree);
  }

  onDidChange(listener: (tree: TreeName) => void): Listener {
    return this.listeners.add(listener);
  }
}
