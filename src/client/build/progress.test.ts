/** The classic builder's streams as steps. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BuildProgress } from './progress.ts';

const DOCKERFILE = `ARG VERSION=1
FROM busybox:$VERSION AS base
RUN echo one && \\
    echo two
FROM base AS unused
RUN false
FROM base
COPY . /app
RUN exit 3
`;

function progressOf(...texts: string[]): BuildProgress {
  let clock = 0;
  const progress = new BuildProgress({ dockerfile: DOCKERFILE, now: () => (clock += 100) });
  for (const stream of texts) progress.take({ stream });
  return progress;
}

test('steps have their instruction, lines, stage and log', () => {
  const progress = progressOf(
    'Step 1/5 : FROM busybox:$VERSION AS base\n',
    ' ---> 0123456789ab\n',
    'Step 2/5 : RUN echo one &&     echo two\n',
    ' ---> Running in 0123456789ab\n',
    'one\ntw',
    'o\n',
    ' ---> Removed intermediate container 0123456789ab\n',
    'Step 3/5 : FROM base\n',
    'Step 4/5 : COPY . /app\n',
    ' ---> Using cache\n',
  );
  const seen = progress.steps.map(({ number, startLine, endLine, stageName, outcome }) =>
    [number, startLine, endLine, stageName, outcome].join(' '),
  );
  assert.deepEqual(seen, ['1 2 2 base ran', '2 3 4 base ran', '3 7 7  ran', '4 8 8  cached']);
  assert.equal(progress.logOf(1), 'one\ntwo\n');
  assert.equal(progress.logOf(0), '');
  assert.deepEqual(progress.counts(), { steps: 5, cached: 1 });
});

test('a failure belongs to the step under way', () => {
  const progress = progressOf('Step 1/2 : FROM base\n', 'Step 2/2 : RUN exit 3\n', 'no newline');
  progress.end('failed');
  assert.equal(progress.steps.at(1)?.outcome, 'failed');
  assert.equal(progress.steps.at(1)?.startLine, 9);
  assert.equal(progress.steps.at(1)?.logTail, 'no newline\n');
});

test('what a program prints is not taken for the builder', () => {
  const progress = progressOf(
    'Step 1/3 : FROM base\n',
    'Step 2/3 : RUN exit 3\n',
    'Step 1/3 : again\nStep 2/9 : other\nStep 9/3 : beyond\n',
  );
  assert.equal(progress.steps.length, 2);
  assert.match(progress.logOf(1), /again\nStep 2\/9 : other\nStep 9\/3/);
});

test("Podman's words are understood", () => {
  const progress = progressOf(
    'STEP 1/3: FROM busybox:$VERSION AS base\n',
    'STEP 2/3: COPY . /app\n',
    '--> Using cache 0123456789abcdef\n',
    '--> 0123456789abcdef\n',
    'STEP 3/3: RUN exit 3\n',
    'hello\n',
  );
  assert.deepEqual(
    progress.steps.map(({ outcome }) => outcome),
    ['ran', 'cached', 'running'],
  );
  assert.equal(progress.logOf(2), 'hello\n');
});

test('the image is the one that the engine tells, in full where it does', () => {
  const progress = progressOf('Step 1/1 : FROM base\n', 'Successfully built 0123456789ab\n');
  assert.equal(progress.image, '0123456789ab');
  progress.take({ aux: { ID: 'sha256:00' } });
  assert.equal(progress.image, 'sha256:00');
});

test('a log keeps its end, a line without end its beginning', () => {
  const progress = progressOf('Step 1/1 : FROM base\n');
  for (let turn = 0; turn < 50; turn++) progress.take({ stream: 'x'.repeat(100_000) });
  assert.ok(progress.logOf(0).length <= 2 * 1024 * 1024);
  assert.ok(progress.logOf(0).length > 1024 * 1024);
});

test('pulling is told without its moving bars', () => {
  const progress = progressOf();
  progress.take({ status: 'Pulling from library/busybox', id: 'latest' });
  progress.take({ status: 'Downloading', id: 'ab', progressDetail: { current: 1, total: 9 } });
  assert.equal(progress.before, 'latest: Pulling from library/busybox\n');
});
