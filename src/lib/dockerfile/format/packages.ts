/** Knows the commands that install packages, and which of their arguments begin a line when there is one for each. */
import type { ShellWord, SimpleCommand } from '../shell/syntax.ts';

const INSTALLS: Readonly<Record<string, readonly string[]>> = {
  apk: ['add'],
  apt: ['install'],
  'apt-get': ['install'],
  aptitude: ['install'],
  dnf: ['install'],
  gem: ['install'],
  microdnf: ['install'],
  npm: ['install', 'i', 'add'],
  pip: ['install'],
  pip3: ['install'],
  pnpm: ['add', 'install'],
  tdnf: ['install'],
  yarn: ['add'],
  yum: ['install'],
  zypper: ['install', 'in'],
};

/** Offsets at which arguments are to begin a line, of install commands that stand on several lines already. */
export function ownLines(commands: readonly SimpleCommand[], text: string): ReadonlySet<number> {
  const found = new Set<number>();
  for (const { name, arguments: words } of commands) {
    const at = subcommandAt(name, words);
    if (at < 0) continue;
    for (const word of splitWords(words.slice(at), text)) found.add(word.range.start);
  }
  return found;
}

function subcommandAt(name: ShellWord | undefined, words: readonly ShellWord[]): number {
  const program = name?.value ?? '';
  const verbs = Object.hasOwn(INSTALLS, program) ? INSTALLS[program] : undefined;
  if (verbs === undefined) return -1;
  return words.findIndex(({ value }) => value !== undefined && verbs.includes(value));
}

/** The words behind the first line break. One behind an option stays with it, since it may be its value. */
function splitWords(words: readonly ShellWord[], text: string): ShellWord[] {
  const found: ShellWord[] = [];
  let broken = false;
  for (const [index, word] of words.entries()) {
    const before = words[index - 1];
    if (before === undefined) continue;
    broken ||= text.slice(before.range.end, word.range.start).includes('\n');
    if (broken && !before.text.startsWith('-')) found.push(word);
  }
  return found;
}
