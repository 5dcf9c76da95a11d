/** Tests of folding. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import { foldingOf } from './folding.ts';

test('stages, long instructions, heredocs and comment blocks fold', () => {
  const text = `# one
# two

FROM a
RUN x \\
  # inner
  y
COPY <<A <<B /
a
A
b
bb
B
# alone
FROM b
`;
  const found = foldingOf(parseDockerfile(text)).map(
    ({ startLine, endLine, kind = '-' }) => `${String(startLine)}-${String(endLine)} ${kind}`,
  );
  assert.deepEqual(found, ['0-1 comment', '3-12 region', '4-6 -', '7-12 -', '10-11 -']);
});

function folds(text: string): string[] {
  return foldingOf(parseDockerfile(text)).map(
    ({ startLine, endLine, kind = '-' }) => `${String(startLine)}-${String(endLine)} ${kind}`,
  );
}

test('regions fold from their mark to its end, one in another', () => {
  assert.deepEqual(folds('#region A\nARG X\n# region B\nARG Y\n#endregion\n# EndRegion A\n'), [
    '0-5 region',
    '2-4 region',
  ]);
  assert.deepEqual(folds('# region open\nARG X\n'), []);
  assert.deepEqual(folds('# endregion\nARG X\n# regional\n# comment\n'), ['2-3 comment']);
});

test('what ONBUILD holds folds, and Windows line ends change nothing', () => {
  assert.deepEqual(folds('FROM a\r\nONBUILD RUN <<EOF\r\nx\r\nEOF\r\n# a\r\n# b\r\n'), [
    '0-3 region',
    '1-3 -',
    '4-5 comment',
  ]);
});
