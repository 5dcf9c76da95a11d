/** Tests of completion; `|` in a text marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CompletionItem } from 'vscode-languageserver/node';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import { completionsAt } from './completion.ts';

function complete(marked: string): CompletionItem[] {
  const offset = marked.indexOf('|');
  const file = parseDockerfile(marked.replace('|', ''));
  return completionsAt(file, offset);
}

function labels(marked: string): string {
  return complete(marked)
    .map(({ label }) => label)
    .join(' ');
}

const ALL =
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR';

test('all keywords are offered where an instruction begins', () => {
  assert.equal(labels('FROM a\n|'), ALL);
  assert.equal(labels('FROM a\nR|'), ALL);
  assert.equal(labels('FROM a\n  |\nRUN x\n'), ALL);
});

test('before the first FROM only ARG and FROM make sense', () => {
  assert.equal(labels('|'), 'ARG FROM');
  assert.equal(labels('F|'), 'ARG FROM');
});

test('the keyword that is being typed is replaced, in the casing of the file', () => {
  const [first] = complete('from a\nru|n');
  assert.deepEqual(first?.textEdit, {
    range: { start: { line: 1, character: 0 }, end: { line: 1, character: 3 } },
    newText: 'add ',
  });
  assert.match(labels('from a\n|'), /^add arg cmd/);
});

test('ONBUILD offers the instructions that it may hold', () => {
  const held = ALL.replace('FROM ', '').replace('MAINTAINER ', '').replace('ONBUILD ', '');
  assert.equal(labels('FROM a\nONBUILD |'), held);
});

test('nothing is offered in arguments, comments, continuations and heredocs', () => {
  for (const text of [
    'FROM a|',
    'FROM a\nRUN x |y',
    'FROM a\n# co|',
    'FROM a\nRUN x \\\n  |y',
    'FROM a\nRUN <<E\nab|\nE\n',
    'FROM a\nFOO x|',
  ]) {
    assert.equal(labels(text), '', text);
  }
});

test("an instruction's flags are offered where they may stand, without those already there", () => {
  assert.equal(labels('FROM a\nFROM --|'), '--platform');
  assert.equal(labels('FROM a\nRUN --mo|'), '--mount --network --security --device');
  assert.equal(
    labels('FROM a\nCOPY --link --exclude=x --|'),
    '--chown --chmod --exclude --from --parents',
  );
  assert.equal(
    labels('FROM a\nONBUILD COPY --fr|'),
    '--chown --chmod --link --exclude --from --parents',
  );
});
