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
}

/** The action of a command with one of these names. */
export function rpmCommand(call: ShellCall, names: readonly string[]): RpmCommand | undefined {
  if (!names.includes(call.name)) return undefined;
  const line = readCommandLine(call, VALUES);
  const [action, ...packages] = line.operands;
  return action === undefined ? undefined : { action, line, packages };
}

/** Packages that an installation takes from a repository by name and that have no version. */
export function unpinned({ action, packages }: RpmCommand, version: RegExp): readonly ShellWord[] {
  if (!INSTALLING.includes(action.text)) return [];
  return packages.filter(
    (word) =>
      !isOpen(word) &&
      !version.test(word.text) &&
      !/\.rpm$|:\/\/|^[@./]/.test(word.text.replaceAll(/["']/g, '')),
  );
}

export const INSTALLING: readonly string[] = ['install', 'in', 'localinstall', 'reinstall'];

/** Actions that ask before they do something. */
export const ASKING: readonly string[] = [
  ...INSTALLING,
  'groupinstall',
  'remove',
  'erase',
  'update',
  'upgrade',
  'autoremove',
  'downgrade',
  'swap',
];
