/** CopyFromUnknownStage: COPY --from and mounts name a stage, or an image with a tag. */
import type { Word } from '../../../syntax.ts';
import { nearestFix, nearHint } from '../../analysis/near.ts';
import type { Rule, Scope } from '../../rule.ts';

export const copyFromUnknownStage: Rule = {
  id: 'CopyFromUnknownStage',
  aliases: ['DL3022'],
  severity: 'warning',
  summary: 'COPY --from names a stage of the file, or an image with a tag',
  fixable: true,
  checks: {
    COPY: ({ from }, scope) => check(from, scope),
    RUN: ({ mounts }, scope) => {
      for (const { from } of mounts) check(from, scope);
    },
  },
};

function check(word: Word | undefined, scope: Scope): void {
  if (word === undefined || /^\d+$/.test(word.text) || /[$:@/]/.test(word.text) || word.text === '')
    return;
  if (word.text === 'scratch') return;
  const { file, facts, report } = scope;
  if (facts.graph.named(word.text) !== undefined) return;
  const names = file.stages.slice(0, 300).flatMap(({ name }) => name ?? []);
  const message = `no stage is named '${word.text}', so it is taken as an image${nearHint(word.text, names)}`;
  report({ message, range: word.range, ...nearestFix(word.text, word.range, names) });
}
