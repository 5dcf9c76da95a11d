/** Tests of what a file says about its own linting: comments that ignore rules, and the check directive. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../parse.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from './lint.ts';
import type { LintOptions } from './rule.ts';

function codes(text: string, options: LintOptions = DEFAULT_OPTIONS): string[] {
  return lintDockerfile(parseDockerfile(text), options).problems.map(({ code }) => code);
}

const RUN = 'RUN apt-get -y --no-install-recommends install a';

const IGNORED: readonly string[] = [
  `FROM a:1\n# hadolint ignore=DL3008\n${RUN}\n`,
  `FROM a:1\n# hadolint ignore=DL3006, DL3008\n${RUN}\n`,
  `FROM a:1\n#hadolint ignore = PinAptPackages # because\n${RUN}\n`,
  `FROM a:1\n# HADOLINT ignore=dl3008\n${RUN}\n`,
  `FROM a:1\n# pinnace ignore=PinAptPackages\n${RUN}\n`,
  `FROM a:1\n# hadolint ignore=DL3008\n\n# another comment\n${RUN}\n`,
  `# hadolint global ignore=DL3008\nFROM a:1\n${RUN}\n`,
  `FROM a:1\n${RUN}\n# hadolint global ignore=DL3008\n`,
  `# check=skip=PinAptPackages\nFROM a:1\n${RUN}\n`,
  `# check=skip=all\nFROM a:1\n${RUN}\n`,
  `# check=error=true;skip=StageNameCasing,DL3008\nFROM a:1\n${RUN}\n`,
  `FROM a:1\nRUN apt-get -y --no-install-recommends \\\n # hadolint ignore=DL3008\n  install a\n`,
  `FROM a:1\n# hadolint ignore=DL3008\nONBUILD ${RUN}\n`,
];

for (const text of IGNORED) {
  test(`a finding is ignored in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(codes(text), []);
  });
}

const KEPT: readonly string[] = [
  `FROM a:1\n# hadolint ignore=DL3009\n${RUN}\n`,
  `# hadolint ignore=DL3008\nFROM a:1\n${RUN}\n`,
  `FROM a:1\n# hadolint ignore=DL3008\nUSER 1\n${RUN}\n`,
  `FROM a:1\n# this ignores nothing: hadolint ignore=DL3008\n${RUN}\n`,
  `FROM a:1\n\n# check=skip=DL3008\n${RUN}\n`,
];

for (const text of KEPT) {
  test(`a finding is kept in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(codes(text), ['PinAptPackages']);
  });
}

test("ShellCheck's comments are understood, and its other codes are not judged", () => {
  assert.deepEqual(codes('FROM a:1\n# shellcheck disable=SC2086,SC9999\nRUN a $B\n'), []);
});

test('a name that is a rule of two ignores both', () => {
  const text = 'FROM a:1\nWORKDIR a\nWORKDIR /b\nWORKDIR c\n';
  assert.deepEqual(codes(text), ['WorkdirRelativePath', 'AbsoluteWorkdir']);
  assert.deepEqual(codes(`# hadolint global ignore=DL3000\n${text}`), []);
});

test('what the builder refuses is shown whatever a comment says', () => {
  assert.deepEqual(codes('FROM a:1\n# hadolint ignore=UnknownInstruction\nCOPPY a b\n'), [
    'UnknownInstruction',
  ]);
});

test('a parser warning can be ignored', () => {
  assert.deepEqual(codes('# hadolint ignore=DL3063\nFROM a:1 AS scratch\n'), []);
});

test('comments do not count where the options forbid them', () => {
  const options = { ...DEFAULT_OPTIONS, disableIgnorePragma: true };
  const text = `FROM a:1\n# hadolint ignore=DL3008\n${RUN}\n`;
  assert.deepEqual(codes(text, options), ['PinAptPackages']);
  const reported = { ...options, severities: new Map([['IgnorePragma', 'warning']] as const) };
  assert.deepEqual(codes(text, reported), ['IgnorePragma', 'PinAptPackages']);
});

test('error=true makes any finding fail the run', () => {
  const result = (text: string) => lintDockerfile(parseDockerfile(text)).failOnAny;
  assert.equal(result('# check=error=true\nFROM a\n'), true);
  assert.equal(result('# check=error=false\nFROM a\n'), false);
  assert.equal(result('FROM a\n'), false);
});

test('mistakes in these comments are reported where they are', () => {
  const text =
    '# check=skip=StageNameCasin;eror=true;error=maybe\n# hadolint ignore=DL9999\nFROM a:1\n';
  const { problems } = lintDockerfile(parseDockerfile(text));
  assert.deepEqual(
    problems.map(({ code, range, message }) => [
      code,
      text.slice(range.start.offset, range.end.offset),
      message,
    ]),
    [
      [
        'UnknownRule',
        'StageNameCasin',
        "there is no rule 'StageNameCasin'; did you mean StageNameCasing?",
      ],
      [
        'InvalidCheckDirective',
        'eror=true',
        "check takes skip=…, experimental=… and error=true, not 'eror'",
      ],
      ['InvalidCheckDirective', 'error=maybe', 'error is true or false'],
      ['UnknownRule', 'DL9999', "there is no rule 'DL9999'"],
    ],
  );
});

test('experimental rules are asked for by the directive', () => {
  const body = 'FROM a:1\n# the release\nARG V\n';
  assert.deepEqual(codes(body), []);
  assert.deepEqual(codes(`# check=experimental=InvalidDefinitionDescription\n${body}`), [
    'InvalidDefinitionDescription',
  ]);
  assert.deepEqual(codes(`# check=experimental=all\n${body}`), ['InvalidDefinitionDescription']);
});

test("the options' severities hold, also off", () => {
  const severities = new Map([
    ['PinImageTag', 'error'],
    ['LastUserRoot', 'off'],
  ] as const);
  const { problems } = lintDockerfile(parseDockerfile('FROM a\nUSER root\n'), {
    ...DEFAULT_OPTIONS,
    severities,
  });
  assert.deepEqual(
    problems.map(({ code, severity }) => [code, severity]),
    [['PinImageTag', 'error']],
  );
});
