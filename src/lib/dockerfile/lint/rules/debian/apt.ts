/** Reads apt-get's command lines for its rules. */
import { type CommandLine, hasOption, isOpen, readCommandLine } from '../../shell/options.ts';
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

/** It only tells what it would do. */
const SIMULATES = ['s', 'simulate', 'just-print', 'dry-run', 'recon', 'no-act', 'print-uris'];

/** The action of `apt-get …`; undefined without one, and where nothing is done. */
export function aptCommand(call: ShellCall): AptCommand | undefined {
  if (call.name !== 'apt-get' && call.name !== 'apt' && call.name !== 'aptitude') return undefined;
  const line = readCommandLine(call, VALUES);
  if (hasOption(line, ...SIMULATES)) return undefined;
  const [action, ...packages] = line.operands;
  return action === undefined ? undefined : { action, line, packages };
}

/** The packages of `apt-get install` that come from a repository under a name of their own. */
export function installedNames(call: ShellCall): readonly ShellWord[] {
  const command = aptCommand(call);
  if (command?.action.text !== 'install') return [];
  return command.packages.filter((word) => !isOpen(word) && !/\.deb$|^[./]|-$/.test(word.text));
}
