/**
 * Reads instructions' scripts and remembers them from one version of a file to the next: a tree that is edited keeps the
 * instructions before the edit, and their scripts need not be read again. Only what the last version had is remembered.
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

export class ScriptMemory {
  private kept: ReadonlyMap<Instruction, Reading> = new Map();
  private current = new Map<Instruction, Reading>();

  /** To be called before a version is read: what the version before last had is forgotten. */
  begin(): void {
    this.kept = this.current;
    this.current = new Map();
  }

  /** The script of an instruction for the shell in force; undefined when it has none that is read. */
  read(instruction: Instruction, file: Dockerfile, shell: ShellInForce): Script | undefined {
    const known = this.current.get(instruction) ?? this.kept.get(instruction);
    const reading =
      known !== undefined && isSame(known.shell, shell)
        ? known
        : { shell, script: readScript(instruction, file, shell) };
    this.current.set(instruction, reading);
    return reading.script;
  }
}

/** The script of an instruction, read anew. */
export function readScript(
  instruction: Instruction,
  { text }: Dockerfile,
  shell: ShellInForce,
): Script | undefined {
  const use = scriptOf(instruction, text, shell);
  return use === undefined ? undefined : collectScript(use);
}

function isSame(a: ShellInForce, b: ShellInForce): boolean {
  return a === b || (a.dialect === b.dialect && a.words.join('\0') === b.words.join('\0'));
}
