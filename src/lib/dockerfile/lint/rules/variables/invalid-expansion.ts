/** InvalidExpansion: variables are written in a form that the builder can expand. Its findings have the parser's code. */
import { expandWord } from '../../../expand.ts';
import type { Instruction, Word } from '../../../syntax.ts';
import type { Rule, Scope } from '../../rule.ts';

export const invalidExpansion: Rule = {
  id: 'InvalidExpansion',
  aliases: ['UNSUPPORTED_MODIFIER'],
  severity: 'error',
  summary: 'Variables are written in a form that the builder can expand',
  fixable: false,
  checks: {
    every: (instruction, scope) => {
      for (const word of wordsOf(instruction, scope)) check(word, scope);
    },
  },
};

function wordsOf(instruction: Instruction, scope: Scope): readonly Word[] {
  if (instruction.kind !== 'FROM') return scope.expandedWords(instruction);
  const { platform, image } = instruction;
  return platform === undefined ? [image] : [platform, image];
}

function check(word: Word, { file, report }: Scope): void {
  if (!word.text.includes('$')) return;
  const { escapeCharacter: escape } = file.directives;
  const { problems } = expandWord(word, valueOf, { escape, lines: file.lines });
  for (const { message, range } of problems) {
    if (message.includes('quote')) continue;
    report({ message, range: { start: range.start.offset, end: range.end.offset } });
  }
}

/** `:?` is not judged: whether there is a value is known when it is built. */
function valueOf(): string {
  return 'x';
}
