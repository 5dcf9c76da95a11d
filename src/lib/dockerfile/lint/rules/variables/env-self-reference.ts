/** EnvSelfReference: ENV does not use a variable that the same ENV defines. */
import type { PairInstruction } from '../../../syntax.ts';
import { referencesOf } from '../../analysis/references.ts';
import { lineBreak, replace, suggestedFix } from '../../edits.ts';
import type { Fix, Rule, Scope } from '../../rule.ts';

export const envSelfReference: Rule = {
  id: 'EnvSelfReference',
  aliases: ['DL3044'],
  severity: 'error',
  summary: 'ENV does not use a variable that the same ENV defines',
  fixable: true,
  checks: {
    stage: ({ instructions }, scope) => {
      const known = new Set(['PATH']);
      for (const instruction of instructions) {
        if (instruction.kind === 'ENV' && instruction.original.includes('$'))
          check(instruction, known, scope);
        if (instruction.kind !== 'ENV' && instruction.kind !== 'ARG') continue;
        for (const { name } of instruction.pairs) known.add(name.text);
      }
    },
  },
};

function check(instruction: PairInstruction, known: ReadonlySet<string>, scope: Scope): void {
  const { escapeCharacter } = scope.file.directives;
  let own: ReadonlyMap<string, number> | undefined;
  for (const [index, { value }] of instruction.pairs.entries()) {
    if (value === undefined) continue;
    for (const reference of referencesOf(value, escapeCharacter)) {
      const { name } = reference;
      // A variable that had a value before keeps it within this ENV: `PATH=/x:$PATH`.
      if (known.has(name)) continue;
      own ??= new Map(instruction.pairs.map((pair, at) => [pair.name.text, at]));
      const definer = own.get(name);
      if (definer === undefined || definer === index) continue;
      const message = `'$${name}' is not yet set here: variables of one ENV come into force after it`;
      const { range } = reference;
      scope.report({ message, range, fix: splitAt(instruction, Math.max(index, 1), scope) });
    }
  }
}

/** Makes two instructions of one, the second beginning with a pair. */
function splitAt({ pairs, keyword }: PairInstruction, index: number, { file }: Scope): Fix {
  const start = pairs[index - 1]?.range.end ?? 0;
  const end = pairs[index]?.range.start ?? start;
  return suggestedFix(
    `Begin another ENV here`,
    replace({ start, end }, `${lineBreak(file)}${keyword.text} `),
  );
}
