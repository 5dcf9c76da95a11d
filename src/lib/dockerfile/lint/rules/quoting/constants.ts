/** Says which variables can only hold text that the shell neither splits nor expands: quotes make no difference to them. */
import type { Script } from '../../shell/script.ts';
import type { Scope } from '../../rule.ts';

const PLAIN = /^[\w./:@%+=,-]*$/;

/** The names that a script itself gives a value, each with whether all of them are plain. */
export function assignedNames({ commands, calls }: Script): ReadonlyMap<string, boolean> {
  const names = new Map<string, boolean>();
  const add = (name: string, isPlain: boolean): void =>
    void names.set(name, isPlain && (names.get(name) ?? true));
  for (const command of commands) {
    if (command.kind === 'simple') {
      for (const { name, value, append } of command.assignments)
        add(name, !append && isPlainText(value.value));
    } else if (command.kind === 'for' && command.variable?.value !== undefined) {
      const words = command.words ?? [];
      add(
        command.variable.value,
        words.length > 0 && words.every(({ value }) => isPlainText(value)),
      );
    }
  }
  for (const { name, arguments: words } of calls) {
    if (
      !/^(read|export|local|declare|typeset|readonly|printf|getopts|mapfile|readarray)$/.test(name)
    )
      continue;
    for (const { text } of words) {
      const variable = /^([A-Za-z_]\w*)(=.*)?$/s.exec(text);
      const value = variable?.[2]?.slice(1);
      const isDeclared =
        value === undefined && !/^(read|printf|getopts|mapfile|readarray)$/.test(name);
      if (variable?.[1] !== undefined && !isDeclared)
        add(variable[1], isPlainText(value?.replaceAll(/^["']|["']$/g, '')));
    }
  }
  return names;
}

/** The name has a plain value from the script, or from an ENV that the script does not override. */
export function isConstant(
  name: string,
  assigned: ReadonlyMap<string, boolean>,
  { stage, facts }: Scope,
): boolean {
  const own = assigned.get(name);
  if (own !== undefined || stage === undefined) return own === true;
  for (const each of facts.chainOf(stage)) {
    const { environment, names } = facts.summaryOf(each);
    if (!names.has(name)) continue;
    const value = names.get(name)?.value?.text.replaceAll(/^["']|["']$/g, '');
    return environment.has(name) && isPlainText(value);
  }
  return false;
}

function isPlainText(value: string | undefined): boolean {
  return value !== undefined && PLAIN.test(value);
}
