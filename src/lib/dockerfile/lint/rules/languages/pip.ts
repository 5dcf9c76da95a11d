/** Reads pip's command lines for its rules: `pip install`, `python -m pip install`, `uv pip install`. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { type CommandLine, readCommandLine } from '../../shell/options.ts';
import type { ShellCall } from '../../shell/script.ts';

const VALUES = [
  'r',
  'requirement',
  'c',
  'constraint',
  'e',
  'editable',
  't',
  'target',
  'i',
  'index-url',
  'extra-index-url',
  'f',
  'find-links',
  'prefix',
  'root',
  'cache-dir',
  'log',
  'proxy',
  'retries',
  'timeout',
  'exists-action',
  'trusted-host',
  'cert',
  'client-cert',
  'src',
  'upgrade-strategy',
  'platform',
  'python-version',
  'implementation',
  'abi',
  'no-binary',
  'only-binary',
  'progress-bar',
  'global-option',
  'install-option',
  'config-settings',
  'python',
  'use-feature',
  'use-deprecated',
  'm',
  'root-user-action',
];

export const PIP_NAMES: readonly string[] = [
  'pip',
  'pip2',
  'pip3',
  'python',
  'python2',
  'python3',
  'pipx',
];

export interface PipInstall {
  readonly action: ShellWord;
  readonly line: CommandLine;
  readonly packages: readonly ShellWord[];
}

/** `pip install …`; undefined for everything else. */
export function pipInstall(call: ShellCall): PipInstall | undefined {
  if (!/^((pip|python)[0-9.]*|pipx)$/.test(call.name)) return undefined;
  const python = call.name.startsWith('python');
  if (python && !(call.arguments[0]?.text === '-m' && call.arguments[1]?.text === 'pip'))
    return undefined;
  const line = readCommandLine(
    python ? { ...call, arguments: call.arguments.slice(2) } : call,
    VALUES,
  );
  const [action, ...packages] = line.operands;
  return action?.text === 'install' ? { action, line, packages } : undefined;
}
