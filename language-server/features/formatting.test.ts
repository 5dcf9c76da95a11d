/** Tests of formatting's edits and options; the formatter has tests of its own. `|` marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FormattingOptions, TextEdit } from 'vscode-languageserver/node';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import type { Dockerfile } from '../../src/lib/dockerfile/syntax.ts';
import { formatOptions, formattingAfterBreak, formattingOf } from './formatting.ts';

const SPACES = { tabSize: 2, insertSpaces: true };

function applied({ text, lines }: Dockerfile, edits: readonly TextEdit[]): string {
  return edits
    .map(({ range: { start, end }, newText }) => ({
      from: lines.offset(start.line, start.character),
      to: lines.offset(end.line, end.character),
      newText,
    }))
    .sort((a, b) => b.from - a.from)
    .reduce((done, { from, to, newText }) => done.slice(0, from) + newText + done.slice(to), text);
}

test('a document is formatted with the indent of the editor', () => {
  const file = parseDockerfile('from a\nrun x \\\n&& y\n');
  const edits = formattingOf(file, formatOptions(SPACES, undefined));
  assert.equal(applied(file, edits), 'FROM a\nRUN x \\\n  && y\n');
});

test('the editor says what becomes of white space at ends; by itself it is trimmed', () => {
  const file = parseDockerfile('from a  \n\nrun x \n\n\nRUN y');
  const formatted = (options: Partial<FormattingOptions>): string =>
    applied(file, formattingOf(file, formatOptions({ ...SPACES, ...options }, undefined)));
  const trimmed = 'FROM a\n\nRUN x\n\nRUN y\n';
  assert.equal(formatted({}), trimmed);
  const wanted = { trimTrailingWhitespace: true, insertFinalNewline: true };
  assert.equal(formatted({ ...wanted, trimFinalNewlines: true }), trimmed);
  assert.equal(
    formatted({ trimTrailingWhitespace: false, insertFinalNewline: false }),
    'FROM a  \n\nRUN x \n\nRUN y',
  );
  const open = parseDockerfile('FROM a\n\n\n');
  const kept = formatOptions({ ...SPACES, trimFinalNewlines: false }, undefined);
  assert.equal(applied(open, formattingOf(open, kept)), 'FROM a\n\n\n');
});

test('the settings say more, and wrong ones nothing', () => {
  const options = formatOptions(SPACES, {
    indent: 'tab',
    keywordCase: 'lower',
    flags: 7,
    emptyLines: -1,
  });
  assert.equal(options.indent, 'tab');
  assert.equal(options.keywordCase, 'lower');
  assert.equal(options.flags, 'keep');
  assert.equal(options.emptyLines, 1);
  assert.equal(formatOptions({ tabSize: 1e9, insertSpaces: true }, null).indent, 16);
  assert.equal(formatOptions({ tabSize: Number.NaN, insertSpaces: false }, []).indent, 'tab');
});

test('a range formats only what it touches', () => {
  const file = parseDockerfile('from a\nrun  x\nrun  y\n');
  const edits = formattingOf(file, formatOptions(SPACES, undefined), { start: 8, end: 9 });
  assert.match(applied(file, edits), /^from a\nRUN x\nrun {2}y\n$/);
  for (const newline of ['\n', '\r\n']) {
    const lines = parseDockerfile(['from a', 'run  x', 'run  y', ''].join(newline));
    const end = lines.lines.offset(2, 0);
    const whole = formattingOf(lines, formatOptions(SPACES, undefined), { start: 6, end });
    const wanted = ['FROM a', 'RUN x', 'run  y', ''].join(newline);
    assert.equal(applied(lines, whole), wanted);
  }
});

function typed(marked: string): string {
  const offset = marked.indexOf('|');
  const file = parseDockerfile(marked.replace('|', ''));
  return applied(file, formattingAfterBreak(file, formatOptions(SPACES, undefined), offset));
}

test('a line break indents a continued line, or formats the instruction above', () => {
  assert.equal(typed('FROM a\nRUN x \\\n|\n'), 'FROM a\nRUN x \\\n  \n');
  assert.equal(typed('FROM a\nRUN x \\\n|'), 'FROM a\nRUN x \\\n  ');
  assert.equal(typed('FROM a\nRUN x \\\n|&& y\n'), 'FROM a\nRUN x \\\n  && y\n');
  assert.equal(typed('FROM a\nrun  x\n|\n'), 'FROM a\nRUN x\n\n');
  assert.equal(typed('FROM a\nRUN <<E\n|\nE\n'), 'FROM a\nRUN <<E\n\nE\n');
  assert.equal(typed('|'), '');
  assert.equal(typed('FROM a\nONBUILD RUN <<E\nx\n|\nE\n'), 'FROM a\nONBUILD RUN <<E\nx\n\nE\n');
  assert.equal(typed('FROM a\nONBUILD RUN x \\\n|\n'), 'FROM a\nONBUILD RUN x \\\n  \n');
  assert.equal(
    typed('FROM a\r\nrun   x  \r\n|\r\nCMD  y\r\n'),
    'FROM a\r\nRUN x\r\n\r\nCMD  y\r\n',
  );
  assert.equal(typed('# escape=`\nFROM a\nRUN x `\n|y\n'), '# escape=`\nFROM a\nRUN x `\n  y\n');
  assert.equal(typed('FROM a\nCOPY <<E /x\n  z \\\n|\nE\n'), 'FROM a\nCOPY <<E /x\n  z \\\n\nE\n');
  assert.equal(typed('FROM a\nrun  x\n\n|'), 'FROM a\nrun  x\n\n');
});
