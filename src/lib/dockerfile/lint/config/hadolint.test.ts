/** Tests of the reading of .hadolint.yaml: every key, and what is said of mistakes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfiguration, thresholdOf } from './hadolint.ts';

test('every key is read', () => {
  const configuration = readConfiguration(`
failure-threshold: error
format: sarif
ignored:
  - DL3000
  - SC1010
label-schema:
  author: text
  contact: email
  created: rfc3339
  version: semver
  documentation: url
  git-revision: hash
  license: spdx
no-color: true
no-fail: true
override:
  error: [DL3001]
  warning: [DL3042, DL3000]
  info: [DL3032]
  style: [DL3015]
strict-labels: true
disable-ignore-pragma: true
trustedRegistries:
  - docker.io
  - "*.gcr.io"
`);
  assert.deepEqual(configuration.problems, []);
  assert.deepEqual([...configuration.severities].sort(), [
    ['AbsoluteWorkdir', 'off'],
    ['AptNoRecommends', 'hint'],
    ['MissingSeparator', 'off'],
    ['PipNoCache', 'warning'],
    ['PointlessCommand', 'error'],
    ['WorkdirRelativePath', 'off'],
    ['YumClean', 'information'],
  ]);
  const { labelSchema, trustedRegistries, strictLabels, disableIgnorePragma } = configuration;
  assert.equal([...labelSchema].map(([name, format]) => `${name}:${format}`).join(' '), LABELS);
  assert.deepEqual(trustedRegistries, ['docker.io', '*.gcr.io']);
  assert.deepEqual([strictLabels, disableIgnorePragma], [true, true]);
  const { failureThreshold, noFail, noColor, format } = configuration;
  assert.deepEqual([failureThreshold, noFail, noColor, format], ['error', true, true, 'sarif']);
});

const LABELS =
  'author:text contact:email created:rfc3339 version:semver documentation:url git-revision:hash license:spdx';

test('one registry may stand without a list', () => {
  assert.deepEqual(readConfiguration('trustedRegistries: docker.io\n').trustedRegistries, [
    'docker.io',
  ]);
});

test('an empty file, and one of comments, is the default', () => {
  for (const text of ['', '# nothing\n', '---\n', 'ignored:\n']) {
    const { problems, severities, failureThreshold } = readConfiguration(text);
    assert.deepEqual(problems, [], text);
    assert.equal(severities.size, 0);
    assert.equal(failureThreshold, 'information');
  }
});

const MISTAKES: readonly (readonly [string, string, string])[] = [
  ['ignore: [DL3000]\n', '1:1 ignore', "there is no key 'ignore'; did you mean ignored?"],
  ['ignored:\n  - DL3000\n  - DL3999\n', '3:5 ignored', "there is no rule 'DL3999'"],
  ['override:\n  fatal: [DL3000]\n', '2:3 override.fatal', "there is no severity 'fatal'"],
  ['override: [DL3000]\n', '1:11 override', 'override has keys and values'],
  ['label-schema:\n  a: number\n', '2:6 label-schema.a', "a label's format is one of"],
  ['no-fail: maybe\n', '1:10 no-fail', 'no-fail is true or false'],
  ['failure-threshold: high\n', '1:20 failure-threshold', 'the threshold is error, warning'],
  ['ignored: [[a]]\n', '1:11 ignored', 'ignored is a list of texts'],
  ['- DL3000\n', '1:1 ', 'a configuration has keys and values'],
  ['ignored: [DL3000\n', '2:1 ', 'Flow sequence'],
  ['a: 1\na: 2\n', '2:1 ', 'Map keys must be unique'],
];

for (const [text, place, message] of MISTAKES) {
  test(`a mistake is reported with its line and key: ${JSON.stringify(text)}`, () => {
    const found = readConfiguration(text).problems.map(
      ({ line, character, key, message: said }) => `${line + 1}:${character + 1} ${key}|${said}`,
    );
    assert.ok(
      found.some((each) => each.startsWith(`${place}|`) && each.includes(message)),
      found.join('\n'),
    );
  });
}

test('the rest counts where something is wrong', () => {
  const { severities } = readConfiguration('what: ever\nignored: [DL3006, nonsense]\n');
  assert.deepEqual([...severities], [['PinImageTag', 'off']]);
});

test('a text of a megabyte and one of many aliases end quickly', () => {
  assert.equal(readConfiguration('a'.repeat(1_000_001)).problems.length, 1);
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replaceAll(/./g, (key) => `${key}: &${key} [*a,*a,*a,*a,*a,*a,*a]\n`)}`;
  assert.ok(readConfiguration(bomb).problems.length > 0);
});

test("hadolint's names of levels are known", () => {
  assert.deepEqual(['error', 'warning', 'info', 'style', 'ignore', 'none', 'x'].map(thresholdOf), [
    'error',
    'warning',
    'information',
    'hint',
    'off',
    'none',
    undefined,
  ]);
});
