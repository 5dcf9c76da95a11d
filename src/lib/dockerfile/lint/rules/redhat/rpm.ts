/** Reads the command lines of yum, dnf, microdnf and zypper for their rules. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { type CommandLine, isOpen, readCommandLine } from '../../shell/options.ts';
import type { ShellCall } from '../../shell/script.ts';

const VALUES = [
  'c',
  'config',
  'x',
  'exclude',
  'enablerepo',
  'disablerepo',
  'repo',
  'releasever',
  'installroot',
  'setopt',
  'r',
  'R',
  'root',
  'repoid',
  'p',
];

export interface RpmCommand {
  readonly action: ShellWord;
  readonly line: CommandLine;
  readonly packages: readonly ShellWord[];
  /** `module install`: streams are named behind a colon. */
  readonly isModule: boolean;
}

/** The action of a command with one of these names. */
export function rpmCommand(call: ShellCall, names: readonly string[]): RpmCommand | undefined {
  if (!names.includes(call.name)) return undefined;
  const line = readCommandLine(call, VALUES);
  const [first, ...rest] = line.operands;
  if (first === undefined) return undefined;
  if (first.text !== 'module') return { action: first, line, packages: rest, isModule: false };
  const [action = first, ...packages] = rest;
  return { action, line, packages, isModule: true };
}

/** Packages that an installation takes from a repository by name and that have no version. */
export function unpinned(
  { action, packages, isModule }: RpmCommand,
  version: RegExp,
): readonly ShellWord[] {
  if (!INSTALLING.includes(action.text)) return [];
  if (isModule) return packages.filter((word) => !isOpen(word) && !word.text.includes(':'));
  return packages.filter(
    (word) =>
      !isOpen(word) &&
      !version.test(word.text) &&
      !/\.rpm$|:\/\/|^[@./]/.test(word.text.replaceAll(/["']/g, '')),
  );
}

export const INSTALLING: readonly string[] = ['install', 'in', 'localinstall', 'reinstall', 'rei'];

/** Actions that ask before they do something. */
export const ASKING: readonly string[] = [
  ...INSTALLING,
  'groupinstall',
  'remove',
  'erase',
  'update',
  'up',
  'upgrade-minimal',
  'up-min',
  'update-minimal',
  'upgrade',
  'autoremove',
  'downgrade',
  'swap',
];
