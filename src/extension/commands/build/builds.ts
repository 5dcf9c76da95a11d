/** The commands on builds that were made: show, build again, compare, copy, cancel, forget. */
import type { BuildEntry } from '../../build/journal.ts';
import { titleOf } from '../../build/request.ts';
import { previousOf, SERVICE } from '../../build/service.ts';
import { agoText } from '../../../lib/text/amounts.ts';
import { statusText } from '../../build/words.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { Node } from '../../views/nodes.ts';
import type { Command, Desk, PickItem } from '../desk.ts';
import { askBuild } from './ask.ts';
import { checkCan } from './image.ts';

export const openBuild: Command = {
  id: 'pinnace.build.open',
  title: 'Show Build',
  icon: '$(output)',
  run: async (desk, targets, argument) => {
    const entry = await chooseBuild(desk, targets, argument, { title: 'Show which build?' });
    if (entry !== undefined) await desk.execute(SERVICE.open, entry.key);
  },
};

export const buildAgain: Command = {
  id: 'pinnace.build.again',
  title: 'Build Again',
  icon: '$(refresh)',
  run: async (desk, targets, argument) => {
    checkCan(desk);
    const entry = await chooseBuild(desk, targets, argument, {
      title: 'Build which again?',
      accept: ({ request, summary }) => request !== undefined || summary.context !== '',
    });
    if (entry === undefined) return;
    const { dockerfile, context, target, tags, platform } = entry.summary;
    // Values of arguments are in no record: those of an earlier window are asked for.
    const request =
      entry.request ?? (await askBuild(desk, { dockerfile, context, target, tags, platform }));
    if (request !== undefined) await desk.execute(SERVICE.start, request);
  },
};

export const compareBuild: Command = {
  id: 'pinnace.build.compare',
  title: 'Compare with…',
  icon: '$(git-compare)',
  run: async (desk, targets, argument) => {
    const accept = ({ summary }: BuildEntry): boolean => summary.status !== 'running';
    const options = { title: 'Compare which build?', accept };
    const selected = keysOf(targets, argument);
    const entries = await entriesOf(desk);
    const both = entries.filter(({ key }) => selected.includes(key));
    const [newer, older] = both;
    if (newer !== undefined && older !== undefined) {
      await desk.execute(SERVICE.compare, older.key, newer.key);
      return;
    }
    const first = await chooseBuild(desk, targets, argument, options);
    if (first === undefined) return;
    const previous = previousOf(entries, first.key);
    const others = entries.filter((entry) => entry.key !== first.key && accept(entry));
    if (others.length === 0)
      throw new EngineError('conflict', 'There is no other build to compare with.');
    const sorted =
      previous === undefined
        ? others
        : [previous, ...others.filter(({ key }) => key !== previous.key)];
    const second = await desk.pick(`Compare ${titleOf(first.summary)} with`, sorted.map(itemOf));
    if (second === undefined) return;
    const [left, right] = ageOf(second) > ageOf(first) ? [second, first] : [first, second];
    await desk.execute(SERVICE.compare, left.key, right.key);
  },
};

export const copyBuild: Command = {
  id: 'pinnace.build.copy',
  title: 'Copy Output',
  icon: '$(copy)',
  run: async (desk, targets, argument) => {
    const entry = await chooseBuild(desk, targets, argument, {
      title: 'Copy the output of which build?',
    });
    if (entry === undefined) return;
    const text = await desk.execute(SERVICE.text, entry.key);
    await desk.copy(typeof text === 'string' ? text : '');
  },
};

export const cancelBuild: Command = {
  id: 'pinnace.build.cancel',
  title: 'Cancel Build',
  icon: '$(debug-stop)',
  run: async (desk, targets, argument) => {
    const entry = await chooseBuild(desk, targets, argument, {
      title: 'Cancel which build?',
      accept: ({ summary, request }) => summary.status === 'running' && request !== undefined,
      none: 'No build of this window is running.',
    });
    if (entry !== undefined) await desk.execute(SERVICE.cancel, entry.key);
  },
};

export const forgetBuild: Command = {
  id: 'pinnace.build.forget',
  title: 'Delete from History',
  icon: '$(trash)',
  run: async (desk, targets, argument) => {
    const keys = keysOf(targets, argument);
    const entries = (await entriesOf(desk)).filter(({ key }) => keys.includes(key));
    const picked =
      entries.length > 0
        ? entries
        : [
            await chooseBuild(desk, targets, argument, {
              title: 'Delete which build from the history?',
            }),
          ];
    for (const entry of picked)
      if (entry !== undefined) await desk.execute(SERVICE.forget, entry.key);
  },
};

export const refreshBuilds: Command = {
  id: 'pinnace.build.refresh',
  title: 'Refresh Builds',
  icon: '$(refresh)',
  run: async (desk) => {
    await desk.execute(SERVICE.entries);
  },
};

interface Choice {
  readonly title: string;
  readonly accept?: (entry: BuildEntry) => boolean;
  readonly none?: string;
}

async function chooseBuild(
  desk: Desk,
  targets: readonly Node[],
  argument: unknown,
  { title, accept = () => true, none = 'There is no such build.' }: Choice,
): Promise<BuildEntry | undefined> {
  const entries = await entriesOf(desk);
  const [key] = keysOf(targets, argument);
  const isMeant = (entry: BuildEntry): boolean =>
    key === undefined || entry.key === key || entry.summary.id === key;
  const found = entries.filter((entry) => isMeant(entry) && accept(entry));
  if (found.length === 0) throw new EngineError('conflict', none);
  return found.length === 1 ? found[0] : desk.pick(title, found.map(itemOf));
}

async function entriesOf(desk: Desk): Promise<readonly BuildEntry[]> {
  return (await desk.execute(SERVICE.entries)) as readonly BuildEntry[];
}

function keysOf(targets: readonly Node[], argument: unknown): string[] {
  return [...targets, argument].flatMap((value) => {
    if (typeof value !== 'object' || value === null || !('kind' in value)) return [];
    if (value.kind === 'build' && 'key' in value && typeof value.key === 'string')
      return [value.key];
    return isStep(value) ? [value.build] : [];
  });
}

function isStep(value: unknown): value is { readonly build: string; readonly index: number } {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  return value.kind === 'build-step' && 'build' in value && typeof value.build === 'string';
}

function itemOf(entry: BuildEntry): PickItem<BuildEntry> {
  const { summary } = entry;
  return {
    label: titleOf(summary),
    description: `${statusText(summary)}, ${agoText(Date.now() - Date.parse(summary.started))}`,
    detail: summary.dockerfile,
    value: entry,
  };
}

/** Larger for older builds. */
function ageOf({ summary }: BuildEntry): number {
  return -Date.parse(summary.started);
}
