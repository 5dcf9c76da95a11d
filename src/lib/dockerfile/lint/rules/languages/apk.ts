/** Reads apk's command lines for its rules. */
import type { ShellWord } from '../../../shell/syntax.ts';
import { type CommandLine, readCommandLine } from '../../shell/options.ts';
import type { ShellCall } from '../../shell/script.ts';

const VALUES = [
  't',
  'virtual',
  'X',
  'repository',
  'p',
  'root',
  'arch',
  'cache-dir',
  'keys-dir',
  'repositories-file',
  'wait',
  'cache-max-age',
  'progress-fd',
  'timeout',
];

export interface ApkAdd {
  readonly action: ShellWord;
  readonly line: CommandLine;
  readonly packages: readonly ShellWord[];
}

/** `apk add …`; undefined for everything else. */
export function apkAdd(call: ShellCall): ApkAdd | undefined {
  if (call.name !== 'apk') return undefined;
  const line = readCommandLine(call, VALUES);
  const [action, ...packages] = line.operands;
  return action?.text === 'add' ? { action, line, packages } : undefined;
}
