/**
 * Reads an instruction's script, once for as long as the instruction lives: a tree that is edited keeps the instructions
 * before the edit, and their scripts with them. Those of big files are not kept, since they take more room than the text.
 */
import { scriptOf } from '../../shell/scripts.ts';
import type { ShellInForce } from '../../shell/shells.ts';
import type { Dockerfile, Instruction } from '../../syntax.ts';
import { collectScript } from './collect.ts';
import type { Script } from './script.ts';

interface Reading {
  readonly shell: ShellInForce;
  readonly script: Script | undefined;
}

const READINGS = new WeakMap<Instruction, Reading>();

/** Characters of a file from which on its scripts are not kept. */
const BIG = 300_000;

/** The script of an instruction for the shell in force; undefined when it has none that is read. */
export function readScript(
  instruction: Instruction,
  { text }: Dockerfile,
  shell: ShellInForce,
): Script | undefined {
  const known = READINGS.get(instruction);
  if (known !== undefined && isSame(known.shell, shell)) return known.script;
  const use = scriptOf(instruction, text, shell);
  const script = use === undefined ? undefined : collectScript(use);
  if (text.length < BIG) READINGS.set(instruction, { shell, script });
  return script;
}

function isSame(a: ShellInForce, b: ShellInForce): boolean {
  return a === b || (a.dialect === b.dialect && a.words.join('\0') === b.words.join('\0'));
}
