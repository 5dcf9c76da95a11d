/** Reads the script of an instruction. */
import { scriptOf } from '../../shell/scripts.ts';
import type { ShellInForce } from '../../shell/shells.ts';
import type { Dockerfile, Instruction } from '../../syntax.ts';
import { collectScript } from './collect.ts';
import type { Script } from './script.ts';

/** The script of an instruction for the shell in force; undefined when it has none that is read. */
export function readScript(
  instruction: Instruction,
  { text }: Dockerfile,
  shell: ShellInForce,
): Script | undefined {
  const use = scriptOf(instruction, text, shell);
  return use === undefined ? undefined : collectScript(use);
}
