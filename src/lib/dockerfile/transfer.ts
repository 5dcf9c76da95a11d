/** Reads what can hold heredocs: RUN's, COPY's and ADD's heredoc words, and COPY and ADD themselves. */
import { readJson, splitBlanks } from './arguments.ts';
import { expandWords } from './expand.ts';
import { checkFlags, switchOf, valueOf, valuesOf } from './flags.ts';
import type { HeredocHead } from './reader.ts';
import { plainWord, subWord } from './source.ts';
import { baseOf, isEmpty, report, reportJson, type Statement } from './statement.ts';
import type { AddInstruction, CopyInstruction, Heredoc, Word } from './syntax.ts';

/** Reads COPY or ADD. */
export function readTransfer(
  statement: Statement,
  kind: 'COPY' | 'ADD',
): CopyInstruction | AddInstruction {
  const { flags, slice, context, keyword } = statement;
  checkFlags(kind, flags, context.problems);
  const json = readJson(slice);
  if (json.form !== 'strings') reportJson(statement, json.form);
  const words = json.form === 'strings' ? json.words : splitBlanks(slice);
  const heredocs = json.form === 'strings' ? [] : readHeredocs(statement);
  const { sources, dest } = splitDestination(statement, words);
  const shared = {
    ...baseOf(statement),
    sources,
    dest: dest ?? { ...plainWord(''), range: { start: keyword.range.end, end: keyword.range.end } },
    heredocs,
    chown: valueOf(flags, 'chown'),
    chmod: valueOf(flags, 'chmod'),
    link: switchOf(flags, 'link') ?? false,
    excludes: valuesOf(flags, 'exclude'),
  };
  if (kind === 'COPY') {
    const parents = switchOf(flags, 'parents') ?? false;
    return { ...shared, kind, from: valueOf(flags, 'from'), parents };
  }
  return {
    ...shared,
    kind,
    checksum: valueOf(flags, 'checksum'),
    keepGitDir: switchOf(flags, 'keep-git-dir'),
    unpack: switchOf(flags, 'unpack'),
  };
}

function splitDestination(
  statement: Statement,
  words: readonly Word[],
): { sources: readonly Word[]; dest: Word | undefined } {
  const name = statement.kind;
  const dest = words.at(-1);
  if (dest === undefined || words.length < 2) {
    const message = isEmpty(statement.slice)
      ? `${name} needs a source and a destination`
      : `${name} needs a source and a destination, only one of them is here`;
    report(statement, { code: 'MissingArguments', message });
    return { sources: words, dest: undefined };
  }
  if (heredocHead(dest) !== undefined) {
    const message = `${name} cannot take a heredoc as its destination`;
    report(statement, { code: 'UnsupportedHeredoc', message, range: dest.range });
  }
  return { sources: words.slice(0, -1), dest };
}

/** Finds the heredoc words on the statement's line and takes their bodies from the lines below. */
export function readHeredocs(statement: Statement): readonly Heredoc[] {
  const { slice, context } = statement;
  if (!slice.source.text.includes('<<', slice.start)) return [];
  return headsOnLine(slice.source.word(slice.start, slice.end)).map((head) =>
    context.reader.heredoc(head),
  );
}

/** The heredoc words of a line; none when its quotes do not fit, as the frontend has it. */
function headsOnLine(line: Word): HeredocHead[] {
  const { words, problems } = expandWords(line, () => undefined, {
    escape: '\\',
    rawQuotes: true,
    rawEscapes: true,
    keepUnset: true,
  });
  if (problems.length > 0) return [];
  const heads: HeredocHead[] = [];
  for (const { value, start, end } of words) {
    const head = value.includes('<<') ? headOf(value, subWord(line, start, end)) : undefined;
    if (head !== undefined) heads.push(head);
  }
  return heads;
}

function heredocHead(word: Word): HeredocHead | undefined {
  return word.text.includes('<<') ? headOf(word.text, word) : undefined;
}

/** `3<<-"NAME"`: a file descriptor, the tab stripping and the name, whose quotes forbid expansion. */
function headOf(text: string, word: Word): HeredocHead | undefined {
  const match = /^(\d*)<<(-?)([^<]+)$/.exec(text);
  const raw = match?.[3];
  if (match === null || raw === undefined) return undefined;
  const options = { escape: '\\', keepUnset: true } as const;
  const plain = expandWords(raw, () => undefined, options);
  const name = plain.words.length === 1 ? plain.words[0]?.value : undefined;
  if (name === undefined || plain.problems.length > 0) return undefined;
  const quoted = expandWords(raw, () => undefined, { ...options, rawQuotes: true });
  const fd = Number.parseInt(match[1] === '' ? '0' : (match[1] ?? '0'), 10);
  return {
    name,
    fd,
    chomp: match[2] === '-',
    expand: quotesIn(name) === quotesIn(quoted.words[0]?.value ?? ''),
    range: word.range,
  };
}

function quotesIn(text: string): number {
  return text.length - text.replaceAll(/["']/g, '').length;
}
