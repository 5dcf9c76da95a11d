/** Reads the command lines of yum, dnf, microdnf and zypper for their rules, and holds the checks that several of these share. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { insert, safeFix } from '../../edits.ts';
import type { Checks } from '../../rule.ts';
import { cleanupCheck, removes } from '../../shell/cleanup.ts';
import { type CommandLine, mayHaveOption, isOpen, readCommandLine } from '../../shell/options.ts';
import { pinningCheck } from '../../shell/pinning.ts';
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
function unpinned(
  { action, packages, isModule }: RpmCommand,
  version: RegExp,
): readonly ShellWord[] {
  if (!INSTALLING.includes(action.text)) return [];
  if (isModule) return packages.filter((word) => !isOpen(word) && !word.text.includes(':'));
  return packages.filter(
    (word) =>
      !isOpen(word) &&
      !version.test(word.text) &&
      !/\.rpm$|:\/\/|^[@./]|\(.*\)/.test(word.text.replaceAll(/["']/g, '')),
  );
}

const INSTALLING: readonly string[] = ['install', 'in', 'localinstall', 'reinstall', 'rei'];

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

/** Actions that ask have -y. */
export function assumesYes(names: readonly string[]): Checks {
  return {
    calls: names,
    call: (call, { report }) => {
      const command = rpmCommand(call, names);
      if (command === undefined || !ASKING.includes(command.action.text)) return;
      if (mayHaveOption(command.line, 'y', 'assumeyes')) return;
      const { range, text } = command.action;
      const fix = safeFix('Add -y', insert(range.end, ' -y'));
      report({
        message: `${call.name} ${text} waits for an answer that nobody gives: add -y`,
        range,
        fix,
      });
    },
  };
}

const DNF_CACHES = ['/var/cache/dnf', '/var/cache/libdnf5', '/var/cache/yum'];

/** What `name` (dnf, microdnf) fetched is removed in the same RUN. */
export function cleansDnfCache(name: string): Checks {
  return {
    script: cleanupCheck({
      leaves: (call) => ASKING.includes(rpmCommand(call, [name])?.action.text ?? ''),
      cleans: (call) =>
        rpmCommand(call, [name])?.action.text === 'clean' ||
        DNF_CACHES.some((folder) => removes(call, folder)),
      folders: DNF_CACHES,
      message: `what ${name} fetched stays in the image: end this RUN with ${name} clean all`,
      command: `${name} clean all`,
    }),
  };
}

/** Installed packages say their version; `form` is how that is written. */
export function pinsVersions(
  names: readonly string[],
  { version, form }: { readonly version: RegExp; readonly form: (name: string) => string },
): Checks {
  return {
    calls: names,
    call: pinningCheck((call) => {
      const command = rpmCommand(call, names);
      return command === undefined ? [] : unpinned(command, version);
    }, form),
  };
}

/** How yum and dnf take a version. */
export const DASH_VERSION = {
  version: /-\d|[<>=]/,
  form: (name: string) => `${name}-<version>`,
};
