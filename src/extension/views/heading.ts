/** What stands above a tree: its description, its message, the badge of the view container. Pure. */
import type { LiveStore } from '../live/store.ts';
import type { TreeName } from './arrangement.ts';
import { clean, plural, size } from './text.ts';

export interface Counts {
  /** Rows that the filter lets through. */
  readonly shown: number;
  readonly all: number;
  /** Of images. */
  readonly bytes?: number;
}

interface Shown {
  readonly state: LiveStore['state'];
  readonly filter: string;
  readonly tree: TreeName;
  readonly counts: Counts;
}

/** Beside the title: how many there are. Undefined counts: nothing is known. */
export function descriptionOf(tree: TreeName, counts: Counts | undefined): string | undefined {
  if (counts === undefined || counts.all === 0) return undefined;
  const bytes = tree === 'images' ? size(counts.bytes) : '';
  return [String(counts.all), ...(bytes === '' ? [] : [bytes])].join(' · ');
}

/** What the user has to know before believing the rows; undefined where there is nothing to say. */
export function messageOf({ state, filter, tree, counts }: Shown): string | undefined {
  const parts: string[] = [];
  if (state === 'lost') parts.push('Connection to the engine lost, reconnecting…');
  if (filter !== '' && state !== 'off' && state !== 'loading') {
    const text = clean(filter);
    parts.push(
      counts.shown === 0
        ? `No ${tree} match “${text}”.`
        : `Filter “${text}”: ${counts.shown} shown.`,
    );
  }
  return parts.length === 0 ? undefined : parts.join(' ');
}

export function badgeOf(
  running: number,
): { readonly value: number; readonly tooltip: string } | undefined {
  if (running === 0) return undefined;
  return { value: running, tooltip: `${plural(running, 'container')} running` };
}
