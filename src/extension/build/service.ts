/** The names under which the area of builds serves the commands, which hold none of its parts. Shapes only. */
import type { BuildEntry } from './journal.ts';

/** Internal commands of the editor: not in package.json, called with `Desk.execute` only. */
export const SERVICE = {
  /** A BuildRequest: starts it and shows it. */
  start: '_pinnace.build.start',
  /** A BuildRequest: starts it, shows it, waits for it; gives the image's id, undefined when the build failed. */
  build: '_pinnace.build.build',
  /** A key: shows it. */
  open: '_pinnace.build.open',
  /** Two keys, the older build first. */
  compare: '_pinnace.build.compare',
  forget: '_pinnace.build.forget',
  cancel: '_pinnace.build.cancel',
  /** A key; gives the build's text. */
  text: '_pinnace.build.text',
  /** Gives `readonly BuildEntry[]`, the engine asked first. */
  entries: '_pinnace.build.entries',
  /** Gives `BuildCandidates`. */
  candidates: '_pinnace.build.candidates',
  /** A path and a line from 1: shows the place. */
  goTo: '_pinnace.build.go-to',
} as const;

/** Dockerfiles that a build without a target may mean. */
export interface BuildCandidates {
  /** Of the active editor, when it shows a Dockerfile. */
  readonly active: string | undefined;
  readonly files: readonly string[];
}

/** The build of the same Dockerfile and stage before this one that has ended. */
export function previousOf(entries: readonly BuildEntry[], key: string): BuildEntry | undefined {
  const at = entries.findIndex((entry) => entry.key === key);
  const own = entries[at]?.summary;
  if (own === undefined) return undefined;
  const earlier = entries.slice(at + 1).filter(({ summary }) => summary.status !== 'running');
  const same = earlier.filter(
    ({ summary }) => summary.dockerfile === own.dockerfile && summary.context === own.context,
  );
  return same.find(({ summary }) => summary.target === own.target) ?? same[0];
}
