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
