/** The pure parts of building in the editor: requests, rows, comparison, findings, text. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BuildRecord, BuildStep } from '../../lib/api/builds.ts';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import { compareBuilds } from './compare.ts';
import { findingOf, isTouched } from './failure.ts';
import { readFromView } from './messages.ts';
import { argumentsOf, checkTag, isSecretName, readTask } from './request.ts';
import { buildRow, stepRow } from './rows.ts';
import { previousOf } from './service.ts';
import { shownBuild, shownComparison } from './shown.ts';
import { endingText, plainText, rawText, summaryText, terminalText } from './terminal.ts';
import { agoText, sizeText, timeText } from '../../lib/text/amounts.ts';

function stepOf(index: number, text: string, more: Partial<BuildStep> = {}): BuildStep {
  const line = index + 1;
  return {
    index,
    number: index + 1,
    stage: 0,
    stageName: null,
    text,
    startLine: line,
    endLine: line,
    outcome: 'ran',
    reason: null,
    ms: 1000,
    size: 0,
    logTail: '',
    ...more,
  };
}

function recordOf(steps: readonly BuildStep[], more: Partial<BuildRecord> = {}): BuildRecord {
  return {
    id: 'b1',
    started: '2026-01-02T03:04:05Z',
    durationMs: 2500,
    status: 'succeeded',
    dockerfile: '/w/app/Dockerfile',
    context: '/w/app',
    target: '',
    tags: ['app:latest'],
    argNames: [],
    platform: '',
    image: `sha256:${'ab'.repeat(32)}`,
    error: null,
    steps: steps.length,
    cached: steps.filter(({ outcome }) => outcome === 'cached').length,
    stepList: [...steps],
    ...more,
  };
}

describe('requests', () => {
  test('arguments are those of the file, without the ones of the platform', () => {
    const file = parseDockerfile(
      'ARG V=1\nARG TARGETARCH\nFROM a\nARG V\nARG NPM_TOKEN\nARG HTTP_PROXY\nARG A=1 B\n',
    );
    assert.deepEqual(
      argumentsOf(file).map(({ name, preset, secret }) => [name, preset, secret]),
      [
        ['V', '1', false],
        ['NPM_TOKEN', undefined, true],
        ['A', '1', false],
        ['B', undefined, false],
      ],
    );
  });

  test('names that look like secrets are known', () => {
    for (const name of ['API_KEY', 'password', 'GH_TOKEN', 'DB_PASSWD', 'secret'])
      assert.ok(isSecretName(name), name);
    for (const name of ['VERSION', 'MONKEY', 'TOKENIZER', 'AUTHOR'])
      assert.ok(!isSecretName(name), name);
  });

  test('a tag is checked as the engine would', () => {
    assert.equal(checkTag(''), undefined);
    assert.equal(checkTag('localhost:5000/a/b:1'), undefined);
    assert.match(checkTag('Upper') ?? '', /no image name/);
    assert.match(checkTag('a b') ?? '', /no image name/);
    assert.match(checkTag(`a@sha256:${'0'.repeat(64)}`) ?? '', /no digest/);
  });

  test('a task of tasks.json is read, and what is wrong in it is named', () => {
    const resolve = (path: string): string => `/w/${path}`;
    const around = () => ({ context: '/w', target: '', args: { A: '1' } });
    assert.deepEqual(readTask({ tags: 'a:1', args: { B: '2' }, noCache: true }, resolve, around), {
      dockerfile: '/w/Dockerfile',
      context: '/w',
      target: '',
      tags: ['a:1'],
      args: { A: '1', B: '2' },
      platform: '',
      noCache: true,
      pull: false,
    });
    const problem = (definition: Record<string, unknown>): string => {
      const found = readTask(definition, resolve, around);
      return 'problem' in found ? found.problem : 'none';
    };
    assert.match(problem({ dockerfile: 3 }), /dockerfile/);
    assert.match(problem({ tags: [1] }), /tags/);
    assert.match(problem({ tags: ['A'] }), /no image name/);
    assert.match(problem({ args: ['A=1'] }), /args/);
    assert.match(problem({ platform: 'linux' }), /no platform/);
    assert.match(problem({ pull: 'yes' }), /pull/);
    assert.match(problem({ context: '' }), /context/);
  });
});

describe('words and rows', () => {
  test('times, sizes and ages are short', () => {
    assert.deepEqual([0, 40, 1240, 59_000, 185_000, 120_000].map(timeText), [
      '0 s',
      '40 ms',
      '1.2 s',
      '59 s',
      '3 min 5 s',
      '2 min',
    ]);
    assert.deepEqual([0, 999, 1500, 4_200_000, 123_000_000].map(sizeText), [
      '0 B',
      '999 B',
      '1.5 kB',
      '4.2 MB',
      '123 MB',
    ]);
    const day = 86_400_000;
    assert.deepEqual([5, 300_000, 2 * 3_600_000, day, 3 * day].map(agoText), [
      'just now',
      '5 min ago',
      '2 h ago',
      'yesterday',
      '3 days ago',
    ]);
  });

  test('a row says what there is to know, and nothing of it acts', () => {
    const steps = [stepOf(0, 'FROM a', { outcome: 'cached' }), stepOf(1, 'RUN b', { size: 1500 })];
    const summary = recordOf(steps, { tags: ['\u001b[31mx\u0007'] });
    const row = buildRow(
      { key: 'k', summary, request: undefined },
      Date.parse('2026-01-02T03:14:05Z'),
    );
    assert.equal(row.label, 'x');
    assert.equal(row.description, '2.5 s · 1/2 cached · 10 min ago');
    assert.equal(row.contextValue, 'build succeeded repeatable');
    const second = steps[1];
    assert.ok(second !== undefined);
    assert.equal(stepRow(second, summary).description, '1.0 s · 1.5 kB');
    assert.equal(stepRow(second, summary).contextValue, 'build-step ran');
  });

  test('the build before is the last one of the same file', () => {
    const entry = (key: string, dockerfile: string, status: BuildRecord['status'] = 'failed') => ({
      key,
      summary: recordOf([], { dockerfile, status }),
      request: undefined,
    });
    const entries = [
      entry('3', '/a'),
      entry('2', '/b'),
      entry('x', '/a', 'running'),
      entry('1', '/a'),
    ];
    assert.equal(previousOf(entries, '3')?.key, '1');
    assert.equal(previousOf(entries, '2'), undefined);
  });
});

describe('a failed build', () => {
  const record = recordOf(
    [stepOf(0, 'FROM a'), stepOf(1, 'RUN b', { outcome: 'failed', startLine: 4, endLine: 6 })],
    { status: 'failed', error: { message: 'returned a non-zero code: 2\nmore', line: 4 } },
  );

  test('is a finding on the lines of its step, with the last output', () => {
    const finding = findingOf(record, () => 'a\n\u001b[31mno such file\u001b[0m\n');
    assert.deepEqual([finding?.startLine, finding?.endLine], [3, 5]);
    assert.equal(finding?.message, 'returned a non-zero code: 2\na\nno such file');
    assert.equal(
      findingOf(recordOf([]), () => ''),
      undefined,
    );
  });

  test('is void once its lines are touched', () => {
    const place = { startLine: 3, endLine: 5 };
    assert.ok(isTouched(place, { startLine: 5, endLine: 5 }));
    assert.ok(isTouched(place, { startLine: 0, endLine: 9 }));
    assert.ok(!isTouched(place, { startLine: 6, endLine: 8 }));
    assert.ok(!isTouched(place, { startLine: 1, endLine: 2 }));
  });

  test('ends its text with a line that the problem matcher reads', () => {
    const line = plainText(summaryText(record));
    assert.equal(line, '/w/app/Dockerfile:4:1: error: returned a non-zero code: 2 more\n');
    assert.match(endingText(stepOf(0, '', { outcome: 'failed' })), /failed after 1\.0 s/);
  });
});

describe('text', () => {
  test('plain text has no colours, no controls, and the last state of a line', () => {
    assert.equal(
      plainText('\u001b]0;title\u0007a\u001b[1;31mb\u001b[0m\r\n10%\r20%\n\u0008c'),
      'ab\n20%\nc',
    );
  });

  test('a terminal gets colours, and no title, cursor or clipboard commands', () => {
    assert.equal(
      terminalText('\u001b[31mred\u001b[2J\u001b]52;c;aGk=\u0007\n'),
      '\u001b[31mred\r\n',
    );
  });

  test('the text for the clipboard is whole', () => {
    const record = recordOf([stepOf(0, 'FROM a', { outcome: 'cached' }), stepOf(1, 'RUN b')]);
    const text = rawText(record, { before: 'hello\n', log: (step) => `log ${String(step)}\n` });
    assert.equal(
      text,
      'hello\n[1/2] FROM a\nlog 0\n--> cached\n[2/2] RUN b\nlog 1\n--> ran, 1.0 s\nBuilt app:latest in 2.5 s, 1 of 2 steps from the cache\n',
    );
  });
});

describe('comparing', () => {
  const left = recordOf([stepOf(0, 'FROM a'), stepOf(1, 'RUN b'), stepOf(2, 'COPY . .')]);
  const right = recordOf(
    [
      stepOf(0, 'FROM a', { outcome: 'cached' }),
      stepOf(1, 'RUN b2', { ms: 3000, size: 10 }),
      stepOf(2, 'ENV x=1', { ms: 0 }),
      stepOf(3, 'COPY . .', { ms: 1500 }),
    ],
    { durationMs: 5000 },
  );

  test('pairs the steps that are the same, and between them those of one kind', () => {
    const { steps, ms, size } = compareBuilds(left, right);
    assert.deepEqual(
      steps.map((step) => [step.kind, step.left?.text, step.right?.text, step.ms]),
      [
        ['same', 'FROM a', 'FROM a', -1000],
        ['changed', 'RUN b', 'RUN b2', 2000],
        ['added', undefined, 'ENV x=1', 0],
        ['same', 'COPY . .', 'COPY . .', 500],
      ],
    );
    assert.deepEqual([ms, size], [2500, 10]);
  });

  test('is told in words', () => {
    const shown = shownComparison(left, right, compareBuilds(left, right));
    assert.equal(shown.summary, '2 of 4 steps changed, 2.5 s slower, 10 B larger.');
    assert.equal(shown.rows[0]?.difference, '1.0 s faster');
  });

  test('takes builds of any length', () => {
    const many = recordOf(Array.from({ length: 3000 }, (_, at) => stepOf(at, `RUN ${String(at)}`)));
    assert.equal(compareBuilds(many, left).steps.length, 3000);
  });
});

describe('the view', () => {
  test('is told texts only, without escapes', () => {
    const shown = shownBuild(recordOf([stepOf(0, 'RUN \u001b[31mx')]), {
      key: 'k',
      repeatable: true,
      hasPrevious: false,
    });
    assert.equal(shown.steps[0]?.text, 'RUN x');
    assert.deepEqual(shown.facts[0], ['Result', 'succeeded in 2.5 s']);
  });

  test('is not believed more than it may say', () => {
    assert.deepEqual(readFromView({ type: 'goto', line: 3, more: 1 }), { type: 'goto', line: 3 });
    assert.deepEqual(readFromView({ type: 'cancel' }), { type: 'cancel' });
    for (const value of [
      null,
      'x',
      {},
      { type: 'goto' },
      { type: 'goto', line: '3' },
      { type: 'eval' },
    ])
      assert.equal(readFromView(value), undefined);
  });
});
