/** UndefinedArgInFrom: FROM uses arguments that are declared before the first FROM. */
import { PLATFORM_ARGUMENTS } from '../../analysis/facts.ts';
import { nearestFix, nearHint } from '../../analysis/near.ts';
import { referencesOf } from '../../analysis/references.ts';
import type { Rule } from '../../rule.ts';

export const undefinedArgInFrom: Rule = {
  id: 'UndefinedArgInFrom',
  aliases: ['BASE_NAME_EMPTY'],
  severity: 'warning',
  summary: 'FROM uses only arguments that are declared before the first FROM',
  fixable: true,
  checks: {
    FROM: ({ image, platform }, { facts, file, report }) => {
      for (const word of platform === undefined ? [image] : [platform, image]) {
        if (!word.text.includes('$')) continue;
        const undeclared = new Set(facts.expandGlobal(word).undeclared);
        if (undeclared.size === 0) continue;
        const names = [...PLATFORM_ARGUMENTS, ...first(facts.globalArguments.keys())];
        for (const { name, nameRange, defaulted } of referencesOf(
          word,
          file.directives.escapeCharacter,
        )) {
          if (!undeclared.has(name) || defaulted) continue;
          const message = `FROM uses '$${name}', which no ARG before the first FROM declares${nearHint(name, names)}`;
          report({ message, range: nameRange, ...nearestFix(name, nameRange, names) });
        }
      }
    },
  },
};

/** As many as are looked at for a mistyped word. */
function first(names: Iterable<string>): string[] {
  const some: string[] = [];
  for (const name of names) if (some.push(name) >= 250) break;
  return some;
}
