/** InvalidExpansion: variables are written in a form that the builder can expand. Its findings have the parser's code. */
import { expandWord } from '../../../expand.ts';
import type { Heredoc, Instruction, Word } from '../../../syntax.ts';
import type { Rule, Scope } from '../../rule.ts';

export const invalidExpansion: Rule = {
  id: 'InvalidExpansion',
  aliases: ['UNSUPPORTED_MODIFIER'],
  severity: 'error',
  blocking: true,
  summary: 'Variables are written in a form that the builder can expand',
  fixable: false,
  checks: {
    every: (instruction, scope) => {
      for (const word of wordsOf(instruction, scope)) check(word, scope);
      if (instruction.kind !== 'COPY' && instruction.kind !== 'ADD') return;
      for (const heredoc of instruction.heredocs) if (heredoc.expand) checkContent(heredoc, scope);
    },
  },
};

function wordsOf(instruction: Instruction, scope: Scope): readonly Word[] {
  if (instruction.kind !== 'FROM') return scope.expandedWords(instruction);
  const { platform, image } = instruction;
  return platform === undefined ? [image] : [platform, image];
}

/** The content of a file, where quotes are characters like others. */
function checkContent({ content, contentRange: range, chomp }: Heredoc, scope: Scope): void {
  // Where tabs were taken off, places within are not known.
  const breaks = [{ index: 0, offset: range.start }];
  check({ text: content, range, breaks: chomp ? [] : breaks }, scope, { plainQuotes: true });
}

function check(
  word: Word,
  { deferred, file, report }: Scope,
  options: { plainQuotes?: true } = {},
): void {
  if (!word.text.includes('$')) return;
  const { escapeCharacter: escape } = file.directives;
  const { problems } = expandWord(word, valueOf, { escape, lines: file.lines, ...options });
  for (const { message, range } of problems) {
    if (message.includes('quote')) continue;
    const place = { start: range.start.offset, end: range.end.offset };
    report({ message, range: place, severity: deferred ? 'warning' : 'error' });
  }
}

/** `:?` is not judged: whether there is a value is known when it is built. */
function valueOf(): string {
  return 'x';
}
