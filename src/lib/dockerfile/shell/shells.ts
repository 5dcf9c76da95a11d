/** Owns which language a command line is in: from SHELL, a heredoc's first line, or the base image. */
import type { Dialect } from './syntax.ts';

/** The shell that runs command lines: what SHELL says, or the default. */
export interface ShellInForce {
  readonly dialect: Dialect;
  /** The program and its arguments: `/bin/sh`, `-c`. */
  readonly words: readonly string[];
  /** SHELL or the shebang sets it. */
  readonly errexit: boolean;
  readonly pipefail: boolean;
  readonly nounset: boolean;
}

const DIALECTS: Readonly<Record<string, Dialect>> = {
  sh: 'sh',
  ash: 'sh',
  dash: 'sh',
  busybox: 'sh',
  bash: 'bash',
  rbash: 'bash',
  ksh: 'ksh',
  ksh93: 'ksh',
  mksh: 'ksh',
  oksh: 'ksh',
  zsh: 'zsh',
  powershell: 'powershell',
  pwsh: 'powershell',
  cmd: 'cmd',
};

export const DEFAULT_SHELL: ShellInForce = shellFrom(['/bin/sh', '-c']);
export const WINDOWS_SHELL: ShellInForce = shellFrom(['cmd', '/S', '/C']);

/** Whether a dialect is read (the others are left alone). */
export function isReadable(dialect: Dialect): boolean {
  return dialect === 'sh' || dialect === 'bash' || dialect === 'ksh' || dialect === 'zsh';
}

/** The shell of a SHELL instruction's strings. */
export function shellFrom(words: readonly string[]): ShellInForce {
  const [program = '', ...rest] = words;
  const name = programName(program);
  const wrapped = name === 'env' ? rest.findIndex((word) => !/^-|=/.test(word)) : -1;
  if (wrapped >= 0) return { ...shellFrom(rest.slice(wrapped)), words };
  const found = Object.hasOwn(DIALECTS, name) ? DIALECTS[name] : undefined;
  return {
    dialect: found ?? 'other',
    words,
    errexit: hasOption(rest, 'e', 'errexit'),
    pipefail: hasOption(rest, '', 'pipefail'),
    nounset: hasOption(rest, 'u', 'nounset'),
  };
}

function programName(program: string): string {
  const last = program.slice(Math.max(program.lastIndexOf('/'), program.lastIndexOf('\\')) + 1);
  return last.toLowerCase().replace(/\.exe$/, '');
}

/** `-e`, `-eux`, `-o errexit`, `-euo pipefail`. */
function hasOption(words: readonly string[], letter: string, name: string): boolean {
  return words.some((word, index) => {
    if (!/^-[A-Za-z]+$/.test(word)) return false;
    if (letter !== '' && word.includes(letter)) return true;
    return word.endsWith('o') && words[index + 1] === name;
  });
}

/** The interpreter that a script's first line names, or undefined without `#!`. */
export function shebangOf(text: string): ShellInForce | undefined {
  if (!text.startsWith('#!')) return undefined;
  const newline = text.indexOf('\n');
  const line = text.slice(2, newline < 0 ? Math.min(text.length, 300) : Math.min(newline, 300));
  const words = line.trim().split(/\s+/);
  return shellFrom(words);
}
