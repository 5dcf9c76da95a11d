/** Makes the rules that ask for versions: every package that a command installs says which one it is. */
import type { ShellWord } from '../../shell/syntax.ts';
import type { Rule, Scope } from '../rule.ts';
import type { ShellCall } from './script.ts';

/** The hook of such a rule: `packages` gives the words of a command that name packages without a version. */
export function pinningCheck(
  packages: (call: ShellCall) => readonly ShellWord[],
  example: (name: string) => string,
): NonNullable<Rule['checks']['call']> {
  return (call: ShellCall, { report }: Scope) => {
    for (const word of packages(call)) {
      const message = `no version is given for ${word.text}, so every build may install another one: ${example(word.text)}`;
      report({ message, range: word.range });
    }
  };
}
