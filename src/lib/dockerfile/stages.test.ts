/** Tests of the stage graph: references, targets and which stages a target needs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from './parse.ts';
import { StageGraph, stageReferences, targetStage } from './stages.ts';

const FILE = parseDockerfile(`FROM alpine AS base
FROM base AS deps
FROM base AS unused
RUN --mount=from=deps,target=/d x
FROM alpine
COPY --from=Deps /a /b
COPY --from=1 /a /b
COPY --from=nginx /a /b
FROM scratch AS final
COPY --from=3 /b /c
`);

function namesFor(target: string): (string | number)[] {
  const found = targetStage(FILE.stages, target);
  assert.ok('stage' in found);
  return new StageGraph(FILE.stages).reachable(found.stage).map(({ name, index }) => name ?? index);
}

test('the file has no problems', () => {
  assert.deepEqual(FILE.problems, []);
});

test('the last stage is the target when none is named, and only what it needs is reached', () => {
  assert.deepEqual(namesFor(''), ['base', 'deps', 3, 'final']);
});

test('a target is found by name in any casing and by index', () => {
  assert.deepEqual(namesFor('UNUSED'), ['base', 'deps', 'unused']);
  assert.deepEqual(namesFor('1'), ['base', 'deps']);
});

test('a missing target is told with a suggestion', () => {
  const start = 'failed to reach build target';
  assert.deepEqual(targetStage(FILE.stages, 'finel'), {
    missing: `${start} finel in Dockerfile; did you mean final?`,
  });
  assert.deepEqual(targetStage(FILE.stages, 'elsewhere'), {
    missing: `${start} elsewhere in Dockerfile; it has no such stage`,
  });
  assert.deepEqual(targetStage(parseDockerfile('FROM x\n').stages, '1'), {
    missing: `${start} 1 in Dockerfile; its stages have no names, only numbers`,
  });
});

test('references are listed with what makes them', () => {
  const found = FILE.stages.flatMap((stage) =>
    stageReferences(stage).map(({ kind, word }) => `${String(stage.index)} ${kind} ${word.text}`),
  );
  assert.deepEqual(found, [
    '0 base alpine',
    '1 base base',
    '2 base base',
    '2 mount deps',
    '3 base alpine',
    '3 copy Deps',
    '3 copy 1',
    '3 copy nginx',
    '4 base scratch',
    '4 copy 3',
  ]);
});

test('FROM means an earlier stage, the last one of that name, and takes no index', () => {
  const graph = new StageGraph(
    parseDockerfile('FROM x AS a\nFROM y AS a\nFROM a AS b\nFROM 0\n').stages,
  );
  const [, , third, fourth] = graph.stages;
  assert.ok(third !== undefined && fourth !== undefined);
  assert.equal(graph.resolve({ kind: 'base', name: 'a', at: third })?.index, 1);
  assert.equal(graph.resolve({ kind: 'base', name: 'b', at: third }), undefined);
  assert.equal(graph.resolve({ kind: 'base', name: '0', at: fourth }), undefined);
  assert.equal(graph.resolve({ kind: 'copy', name: '0', at: fourth })?.index, 0);
  assert.equal(graph.resolve({ kind: 'mount', name: '0', at: fourth }), undefined);
});

test('COPY may take from a later stage, which then comes first in the order', () => {
  const file = parseDockerfile('FROM x\nCOPY --from=later /a /a\nFROM y AS later\n');
  assert.deepEqual(file.problems, []);
  const [first] = file.stages;
  assert.ok(first !== undefined);
  assert.deepEqual(
    new StageGraph(file.stages).reachable(first).map(({ index }) => index),
    [1, 0],
  );
});

test('stages that need each other are a problem', () => {
  const file = parseDockerfile('FROM x AS a\nCOPY --from=b / /\nFROM y AS b\nCOPY --from=a / /\n');
  assert.deepEqual(
    file.problems.map(({ message }) => message),
    ["stage 'a' depends on itself"],
  );
});

test('a chain of a hundred thousand stages is walked without a stack overflow', () => {
  const text = Array.from(
    { length: 100_000 },
    (_, at) => `FROM s${String(at)} AS s${String(at + 1)}\n`,
  ).join('');
  const { stages, problems } = parseDockerfile(text);
  const found = problems.map(({ code, range }) => [code, range.start.line]);
  assert.deepEqual(found, [
    ['TooManyInstructions', 500],
    ['TooManyInstructions', 3000],
  ]);
  const last = stages.at(-1);
  assert.ok(last !== undefined);
  assert.equal(new StageGraph(stages).reachable(last).length, 100_000);
});

test('a base named by a variable is followed when its value is known', () => {
  const graph = new StageGraph(parseDockerfile('ARG V=base\nFROM x AS base\nFROM $V\n').stages);
  const [, last] = graph.stages;
  assert.ok(last !== undefined);
  assert.equal(graph.reachable(last).length, 1);
  assert.equal(graph.reachable(last, () => 'base').length, 2);
});
