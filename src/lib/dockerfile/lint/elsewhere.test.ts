/**
 * Compares the table of rules with what other linters check: testdata/elsewhere.tsv has a line `linter, name, level` for
 * each check of BuildKit, code of dockerfile-utils and rule of hadolint (its ShellCheck codes too). That each rule catches,
 * lets pass and mends what it should is the business of pages.test.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseDockerfile } from '../parse.ts';
import { lintDockerfile } from './lint.ts';
import type { Rule } from './rule.ts';
import { ruleOf, rulesNamed } from './table.ts';

const ROWS = readFileSync(new URL('testdata/elsewhere.tsv', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [linter = '', name = '', level = ''] = line.split('\t');
    return { linter, name, level };
  });

const of = (linter: string) => ROWS.filter((row) => row.linter === linter);
const levelOf = ({ severity, optional }: Rule): string => (optional === true ? 'off' : severity);

test('every check, code and rule of the others has a rule here that goes by its name', () => {
  const counts = ['buildkit', 'dockerfile-utils', 'hadolint', 'shellcheck'].map(
    (linter) => of(linter).length,
  );
  assert.deepEqual(counts, [22, 54, 71, 34]);
  for (const { name } of ROWS) assert.ok(rulesNamed(name).length > 0, `no rule is called ${name}`);
});

test("BuildKit's checks have its names and its level", () => {
  for (const { name, level } of of('buildkit')) {
    const rule = ruleOf(name);
    assert.equal(rule && levelOf(rule), level, name);
  }
});

/** Where BuildKit has the check too, its level holds. */
const AS_BUILDKIT: Readonly<Record<string, readonly string[]>> = {
  DL3000: ['WorkdirRelativePath', 'AbsoluteWorkdir'],
  DL3012: ['MultipleInstructionsDisallowed'],
  DL3024: ['DuplicateStageName'],
  DL4000: ['MaintainerDeprecated'],
  DL4004: ['MultipleInstructionsDisallowed'],
};

test("hadolint's rules have its level, but for those that BuildKit has too", () => {
  for (const { name, level } of of('hadolint')) {
    const rules = rulesNamed(name);
    const own = AS_BUILDKIT[name];
    if (own === undefined) for (const rule of rules) assert.equal(levelOf(rule), level, name);
    else assert.deepEqual(rules.map(({ id }) => id).sort(), own.toSorted(), name);
  }
});

/** For each code of dockerfile-utils a file that gets it there; two are no longer given (ARGUMENT_REQUIRES_ONE, FLAG_INVALID_LINK_VALUE). */
const CODES: Readonly<Record<string, string>> = {
  CASING_INSTRUCTION: 'FROM scratch\nrun a',
  CASING_DIRECTIVE: '# ESCAPE=`\nFROM scratch',
  ARGUMENT_MISSING: 'FROM scratch\nEXPOSE',
  ARGUMENT_EXTRA: 'FROM scratch\nSTOPSIGNAL 9 8',
  ARGUMENT_REQUIRES_ONE: 'FROM scratch\nARG',
  ARGUMENT_REQUIRES_AT_LEAST_ONE: 'FROM scratch\nHEALTHCHECK',
  ARGUMENT_REQUIRES_TWO: 'FROM scratch\nENV a',
  ARGUMENT_REQUIRES_AT_LEAST_TWO: 'FROM scratch\nCOPY a',
  ARGUMENT_REQUIRES_ONE_OR_THREE: 'FROM scratch AS',
  ARGUMENT_UNNECESSARY: 'FROM scratch\nHEALTHCHECK NONE x',
  DUPLICATE_BUILD_STAGE_NAME: 'FROM scratch AS a\nFROM scratch AS a',
  EMPTY_CONTINUATION_LINE: 'FROM scratch\nRUN a \\\n\n  b',
  INVALID_BUILD_STAGE_NAME: 'FROM scratch AS _a',
  FLAG_AT_LEAST_ONE: 'FROM scratch\nHEALTHCHECK --retries=-1 CMD a',
  FLAG_DUPLICATE: 'FROM scratch\nHEALTHCHECK --timeout=1s --timeout=1s CMD a',
  FLAG_INVALID_DURATION: 'FROM scratch\nHEALTHCHECK --timeout=a CMD a',
  FLAG_LESS_THAN_1MS: 'FROM scratch\nHEALTHCHECK --timeout=1us CMD a',
  FLAG_MISSING_DURATION: 'FROM scratch\nHEALTHCHECK --timeout=1 CMD a',
  FLAG_MISSING_VALUE: 'FROM scratch\nHEALTHCHECK --timeout CMD a',
  FLAG_UNKNOWN_UNIT: 'FROM scratch\nHEALTHCHECK --timeout=1x CMD a',
  NO_SOURCE_IMAGE: 'RUN a',
  INVALID_ESCAPE_DIRECTIVE: '# escape=x\nFROM scratch',
  INVALID_AS: 'FROM scratch IS b',
  INVALID_DESTINATION: 'FROM scratch\nCOPY a b c',
  INVALID_PORT: 'FROM scratch\nEXPOSE a',
  INVALID_PROTO: 'FROM scratch\nEXPOSE 80/ftp',
  INVALID_REFERENCE_FORMAT: 'FROM a:',
  INVALID_SIGNAL: 'FROM scratch\nSTOPSIGNAL a',
  INVALID_SYNTAX: 'FROM scratch\nHEALTHCHECK --retries=a CMD b',
  ONBUILD_CHAINING_DISALLOWED: 'FROM scratch\nONBUILD ONBUILD RUN a',
  ONBUILD_TRIGGER_DISALLOWED: 'FROM scratch\nONBUILD FROM b',
  SHELL_JSON_FORM: 'FROM scratch\nSHELL a',
  SHELL_REQUIRES_ONE: 'FROM scratch\nSHELL []',
  SYNTAX_MISSING_EQUALS: 'FROM scratch\nENV a=b c',
  SYNTAX_MISSING_NAMES: 'FROM scratch\nENV =b',
  SYNTAX_MISSING_SINGLE_QUOTE: "FROM scratch\nENV a='b",
  SYNTAX_MISSING_DOUBLE_QUOTE: 'FROM scratch\nENV a="b',
  MULTIPLE_INSTRUCTIONS: 'FROM scratch\nCMD ["a"]\nCMD ["b"]',
  UNKNOWN_INSTRUCTION: 'FROM scratch\nRUNN a',
  UNKNOWN_ADD_FLAG: 'FROM scratch\nADD --x=1 a /b',
  UNKNOWN_COPY_FLAG: 'FROM scratch\nCOPY --x=1 a /b',
  UNKNOWN_FROM_FLAG: 'FROM --x=1 scratch',
  UNKNOWN_HEALTHCHECK_FLAG: 'FROM scratch\nHEALTHCHECK --x=1 CMD a',
  UNKNOWN_TYPE: 'FROM scratch\nHEALTHCHECK RUN a',
  UNSUPPORTED_MODIFIER: 'FROM scratch\nENV a=${b:x}',
  DEPRECATED_MAINTAINER: 'FROM scratch\nMAINTAINER a',
  HEALTHCHECK_CMD_ARGUMENT_MISSING: 'FROM scratch\nHEALTHCHECK CMD',
  FLAG_INVALID_FROM_VALUE: 'FROM scratch\nCOPY --from=-a b /c',
  FLAG_INVALID_LINK_VALUE: 'FROM scratch\nCOPY --link=x a /b',
  FLAG_EXPECTED_BOOLEAN_VALUE: 'FROM scratch\nADD --keep-git-dir=x https://github.com/a/b.git /b',
  JSON_IN_SINGLE_QUOTES: "FROM scratch\nCMD ['a']",
  WORKDIR_IS_NOT_ABSOLUTE: 'FROM scratch\nWORKDIR a',
  BASE_NAME_EMPTY: 'FROM $x',
  DUPLICATED_ESCAPE_DIRECTIVE: '# escape=`\n# escape=`\nFROM scratch',
};

test('what dockerfile-utils has a code for is found under that name', () => {
  assert.deepEqual(
    Object.keys(CODES).sort(),
    of('dockerfile-utils')
      .map(({ name }) => name)
      .sort(),
  );
  for (const [code, text] of Object.entries(CODES)) {
    const { problems } = lintDockerfile(parseDockerfile(text));
    const found = problems.some((problem) => ruleOf(problem.code)?.aliases.includes(code));
    assert.ok(found, `${code} in ${JSON.stringify(text)}`);
  }
});
