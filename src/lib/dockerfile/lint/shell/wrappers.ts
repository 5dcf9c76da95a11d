/** Sees through commands that run another one: sudo, env, nice and the like. */
import type { ShellWord } from '../../shell/syntax.ts';
import type { ShellCall } from './script.ts';

/** The wrappers, each with its options that take a value of their own, and how many operands stand before the command. */
const WRAPPERS: Readonly<
  Record<string, { readonly values: readonly string[]; readonly operands: number }>
> = {
  sudo: {
    values: [
      '-u',
      '-g',
      '-h',
      '-p',
      '-C',
      '-D',
      '-R',
      '-T',
      '--user',
      '--group',
      '--host',
      '--prompt',
      '--chdir',
    ],
    operands: 0,
  },
  doas: { values: ['-u', '-C'], operands: 0 },
  env: { values: ['-u', '-C', '-S', '--unset', '--chdir'], operands: 0 },
  nice: { values: ['-n', '--adjustment'], operands: 0 },
  ionice: { values: ['-c', '-n', '--class', '--classdata'], operands: 0 },
  nohup: { values: [], operands: 0 },
  exec: { values: ['-a'], operands: 0 },
  command: { values: [], operands: 0 },
  builtin: { values: [], operands: 0 },
  time: { values: ['-f', '-o', '--format', '--output'], operands: 0 },
  timeout: { values: ['-k', '-s', '--kill-after', '--signal'], operands: 1 },
  setarch: { values: [], operands: 1 },
  linux32: { values: [], operands: 0 },
  linux64: { values: [], operands: 0 },
  eatmydata: { values: [], operands: 0 },
};

/** The call that a wrapper makes; undefined for other commands, and where it cannot be told. */
export function unwrapCall(call: ShellCall): ShellCall | undefined {
  const wrapper = Object.hasOwn(WRAPPERS, call.name) ? WRAPPERS[call.name] : undefined;
  if (wrapper === undefined) return undefined;
  let at = 0;
  let { operands } = wrapper;
  for (; at < call.arguments.length; at++) {
    const { text } = call.arguments[at] as ShellWord;
    if (text === '--') continue;
    if (wrapper.values.includes(text)) at++;
    else if (text.startsWith('-') || /^[A-Za-z_]\w*=/.test(text)) continue;
    else if (operands > 0) operands--;
    else break;
  }
  const nameWord = call.arguments[at];
  if (nameWord?.value === undefined) return undefined;
  const { value } = nameWord;
  return {
    ...call,
    name: value.slice(value.lastIndexOf('/') + 1),
    nameWord,
    arguments: call.arguments.slice(at + 1),
    behind: call,
    range: { start: nameWord.range.start, end: call.range.end },
  };
}
