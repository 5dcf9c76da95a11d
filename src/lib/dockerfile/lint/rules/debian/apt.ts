/** Reads apt-get's command lines for its rules. */
import { type CommandLine, isOpen, readCommandLine } from '../../shell/options.ts';
import type { ShellCall } from '../../shell/script.ts';
import type { ShellWord } from '../../../shell/syntax.ts';

const VALUES = [
  'o',
  'option',
  'c',
  'config-file',
  't',
  'target-release',
  'default-release',
  'a',
  'host-architecture',
  'P',
  'build-profiles',
];

export interface AptCommand {
  /** `install`, `update`, … */
  readonly action: ShellWord;
  readonly line: CommandLine;
  readonly packages: readonly ShellWord[];
}

/** The action of `apt-get …`; undefined without one. */
export function aptCommand(call: ShellCall): AptCommand | undefined {
  if (call.name !== 'apt-get' && call.name !== 'apt' && call.name !== 'aptitude') return undefined;
  const line = readCommandLine(call, VALUES);
  const [action, ...packages] = line.operands;
  return action === undefined ? undefined : { action, line, packages };
}

/** The packages of `apt-get install` that come from a repository under a name of their own. */
export function installedNames(call: ShellCall): readonly ShellWord[] {
  const command = aptCommand(call);
  if (command?.action.text !== 'install') return [];
  return command.packages.filter((word) => !isOpen(word) && !/\.deb$|^[./]|-$/.test(word.text));
}
