/** Tests of completion, hover and problems in `.hadolint.yaml`; `|` marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  configurationHover,
  configurationItems,
  isConfiguration,
  problemsInText,
} from './configuration.ts';

const labels = (marked: string): string[] =>
  configurationItems(marked.replace('|', ''), marked.indexOf('|')).map(({ label }) => label);

const KEYS =
  'failure-threshold format ignored label-schema no-color no-fail override strict-labels disable-ignore-pragma trustedRegistries';

test('keys are offered where one begins, without those that are there', () => {
  assert.equal(labels('|').join(' '), KEYS);
  assert.equal(labels('ig|').join(' '), KEYS);
  assert.equal(labels('# c\n|\nformat: tty\nno-fail: true\n').includes('format'), false);
  assert.deepEqual(labels('override:\n  |'), ['error', 'warning', 'info', 'style']);
  assert.deepEqual(labels('override:\n  error: [DL3001]\n  |\nformat: tty'), [
    'warning',
    'info',
    'style',
  ]);
  assert.deepEqual(labels('label-schema:\n  |'), []);
  assert.deepEqual(labels('nothing:\n  |'), []);
});

test('values are offered where one stands', () => {
  assert.ok(labels('failure-threshold: |').includes('warning'));
  assert.deepEqual(labels('no-color: t|'), ['true', 'false']);
  assert.ok(labels('label-schema:\n  maintainer: |').includes('email'));
  for (const text of [
    'ignored:\n  - |',
    'ignored:\n- D|',
    'ignored: [DL3001, |',
    'override:\n  error:\n    - DL|',
    'override:\n  # why\n  warning: [|]',
  ])
    assert.ok(labels(text).includes('DL3008'), text);
  for (const text of ['# |', 'ignored: # |', 'format: tty # |', 'trustedRegistries:\n  - |'])
    assert.deepEqual(labels(text), [], text);
});

test('what is being written is replaced', () => {
  const [item] = configurationItems('override:\n  err', 15);
  assert.deepEqual(item?.textEdit, {
    range: { start: { line: 1, character: 2 }, end: { line: 1, character: 5 } },
    newText: 'error: ',
  });
});

test('keys and rules are explained', () => {
  const hover = (marked: string): string =>
    JSON.stringify(configurationHover(marked.replace('|', ''), marked.indexOf('|')));
  assert.match(hover('ign|ored:\n'), /not reported/);
  assert.match(hover('ignored:\n  - DL30|08\n'), /version|pin/i);
  assert.equal(hover('other|:\n'), 'null');
  assert.equal(hover('|\n'), 'null');
});

test('problems are those of the reader, at their places', () => {
  const [problem, ...others] = problemsInText('ignored: [DL3006]\nstrict: true\n');
  assert.deepEqual(others, []);
  assert.match(JSON.stringify(problem?.message), /strict: there is no key/);
  assert.equal(problem?.range.start.line, 1);
});

test('only its two names are a configuration', () => {
  for (const name of ['.hadolint.yaml', '.hadolint.yml'])
    assert.ok(isConfiguration(`file:///a/${name}`));
  for (const name of ['hadolint.yaml', 'x.hadolint.yaml', '.hadolint.yaml.bak', 'Dockerfile'])
    assert.ok(!isConfiguration(`file:///a/${name}`), name);
});

test('an answer comes at every offset of a text that is no configuration', () => {
  const text = 'a: [\n - {b: "\n\t- x\n:\n-\n  -- y: |\n\r\n"# \u0000😀';
  for (let offset = 0; offset <= text.length; offset++) {
    configurationItems(text, offset);
    configurationHover(text, offset);
  }
});
