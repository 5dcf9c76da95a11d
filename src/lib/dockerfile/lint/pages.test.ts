/**
 * Tests every rule on its page: the bad example is caught, the good one is not, a fix takes the finding away and leaves a
 * file that parses. The head of each page and the list are those that the table makes.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseDockerfile } from '../parse.ts';
import { readConfiguration, withConfiguration } from './config/hadolint.ts';
import { applyEdits } from './edits.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from './lint.ts';
import { headerOf, indexPage } from './pages.ts';
import type { LintOptions, LintProblem, Rule } from './rule.ts';
import { pageOf, RULES, rulesNamed } from './table.ts';

const FOLDER = new URL('../../../../docs/rules/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');

/** What the examples suppose of the world around the file. */
const WORLD: LintOptions = {
  ...DEFAULT_OPTIONS,
  context: {
    source: (path) =>
      path === 'ignored.txt' ? 'ignored' : path === 'absent.txt' ? 'absent' : 'found',
  },
  images: { environment: () => undefined, platform: () => 'linux/amd64' },
};

function section(page: string, title: string): string | undefined {
  return new RegExp(`## ${title}\n\n\`\`\`dockerfile\n([\\s\\S]*?)\n\`\`\``).exec(page)?.[1];
}

function optionsFor(rule: Rule, page: string): LintOptions {
  const yaml = /```yaml\n([\s\S]*?)\n```/.exec(page)?.[1];
  const severities = new Map(rule.optional === true ? [[rule.id, rule.severity]] : []);
  if (yaml === undefined) return { ...WORLD, severities };
  const configuration = readConfiguration(yaml);
  assert.deepEqual(configuration.problems, [], `${rule.id}: its configuration`);
  return { ...withConfiguration(WORLD, configuration), severities };
}

/** What is bad by its length has no example on its page. */
const LONG: Readonly<Record<string, string>> = {
  TooManyProblems: 'X\n'.repeat(1500),
  TooManyInstructions: `FROM scratch\n${'ENV A=1\n'.repeat(3000)}`,
};

function findingsOf(rule: Rule, text: string, options: LintOptions): LintProblem[] {
  return lintDockerfile(parseDockerfile(text), options).problems.filter(
    ({ code }) => code === rule.id,
  );
}

for (const rule of RULES) {
  test(`${rule.id} catches what its page calls bad, and nothing in what it calls good`, () => {
    const page = read(pageOf(rule.id));
    assert.ok(
      page.startsWith(headerOf(rule)),
      'the head of the page is not the one that the table makes',
    );
    assert.ok(page.length > headerOf(rule).length + 40, 'the page says why');
    const long = LONG[rule.id];
    if (long !== undefined) {
      assert.equal(findingsOf(rule, long, WORLD).length, 1);
      return;
    }
    const bad = section(page, 'Bad');
    const good = section(page, 'Good');
    assert.ok(bad !== undefined && good !== undefined, 'the page has a bad and a good example');
    const options = optionsFor(rule, page);
    const findings = findingsOf(rule, bad, options);
    assert.ok(findings.length > 0, `not caught:\n${bad}`);
    assert.deepEqual(findingsOf(rule, good, options), [], `caught in:\n${good}`);
    for (const { range } of findings)
      assert.ok(range.end.offset <= bad.length + 1 && range.start.offset <= range.end.offset);
  });
}

for (const rule of RULES.filter(({ fixable }) => fixable)) {
  test(`the fix of ${rule.id} takes its finding away and keeps the file sound`, () => {
    const page = read(pageOf(rule.id));
    const options = optionsFor(rule, page);
    let text = section(page, 'Bad') ?? '';
    const errors = parseErrors(text);
    // One finding may be left behind another one's fix: each is fixed in its turn.
    for (let round = 0; round < 5; round++) {
      const [finding] = findingsOf(rule, text, options);
      if (finding === undefined) break;
      assert.ok(finding.fix !== undefined, `no fix for: ${finding.message}`);
      const fixed = applyEdits(text, finding.fix.edits);
      assert.notEqual(fixed, text);
      text = fixed;
    }
    assert.deepEqual(findingsOf(rule, text, options), [], text);
    assert.ok(parseErrors(text) <= errors, `the fix breaks the file:\n${text}`);
  });
}

function parseErrors(text: string): number {
  return parseDockerfile(text).problems.filter(({ severity }) => severity === 'error').length;
}

test('a rule without the mark has no fix anywhere on its page', () => {
  for (const rule of RULES.filter(({ fixable }) => !fixable)) {
    const page = read(pageOf(rule.id));
    const findings = findingsOf(rule, section(page, 'Bad') ?? '', optionsFor(rule, page));
    assert.ok(
      findings.every(({ fix }) => fix === undefined),
      rule.id,
    );
  }
});

test('every page belongs to a rule, and the list is the one that the table makes', () => {
  const pages = readdirSync(FOLDER).filter((name) => name !== 'README.md');
  assert.deepEqual(pages.sort(), RULES.map(({ id }) => pageOf(id)).sort());
  assert.equal(read('README.md'), indexPage());
});

test('ids are unique, a hundred rules and more have fixes, and every known name finds a rule', () => {
  assert.equal(new Set(RULES.map(({ id }) => id)).size, RULES.length);
  assert.ok(RULES.filter(({ fixable }) => fixable).length >= 100);
  for (const name of KNOWN_ELSEWHERE)
    assert.ok(rulesNamed(name).length > 0, `no rule is called ${name}`);
});

/** BuildKit's checks, dockerfile-utils' codes, hadolint's rules and the ShellCheck codes that its README lists. */
const KNOWN_ELSEWHERE = `
  StageNameCasing FromAsCasing NoEmptyContinuation ConsistentInstructionCasing DuplicateStageName ReservedStageName
  JSONArgsRecommended MaintainerDeprecated UndefinedArgInFrom WorkdirRelativePath UndefinedVar
  MultipleInstructionsDisallowed LegacyKeyValueFormat RedundantTargetPlatform SecretsUsedInArgOrEnv
  InvalidDefaultArgInFrom FromPlatformFlagConstDisallowed CopyIgnoredFile InvalidDefinitionDescription
  ExposeProtoCasing ExposeInvalidFormat InvalidBaseImagePlatform
  CASING_INSTRUCTION CASING_DIRECTIVE ARGUMENT_MISSING ARGUMENT_EXTRA ARGUMENT_REQUIRES_ONE
  ARGUMENT_REQUIRES_AT_LEAST_ONE ARGUMENT_REQUIRES_TWO ARGUMENT_REQUIRES_AT_LEAST_TWO ARGUMENT_REQUIRES_ONE_OR_THREE
  ARGUMENT_UNNECESSARY DUPLICATE_BUILD_STAGE_NAME EMPTY_CONTINUATION_LINE INVALID_BUILD_STAGE_NAME FLAG_AT_LEAST_ONE
  FLAG_DUPLICATE FLAG_INVALID_DURATION FLAG_LESS_THAN_1MS FLAG_MISSING_DURATION FLAG_MISSING_VALUE FLAG_UNKNOWN_UNIT
  NO_SOURCE_IMAGE INVALID_ESCAPE_DIRECTIVE INVALID_AS INVALID_DESTINATION INVALID_PORT INVALID_PROTO
  INVALID_REFERENCE_FORMAT INVALID_SIGNAL INVALID_SYNTAX ONBUILD_CHAINING_DISALLOWED ONBUILD_TRIGGER_DISALLOWED
  SHELL_JSON_FORM SHELL_REQUIRES_ONE SYNTAX_MISSING_EQUALS SYNTAX_MISSING_NAMES SYNTAX_MISSING_SINGLE_QUOTE
  SYNTAX_MISSING_DOUBLE_QUOTE MULTIPLE_INSTRUCTIONS UNKNOWN_INSTRUCTION UNKNOWN_ADD_FLAG UNKNOWN_COPY_FLAG
  UNKNOWN_FROM_FLAG UNKNOWN_HEALTHCHECK_FLAG UNKNOWN_TYPE UNSUPPORTED_MODIFIER DEPRECATED_MAINTAINER
  HEALTHCHECK_CMD_ARGUMENT_MISSING FLAG_INVALID_FROM_VALUE FLAG_INVALID_LINK_VALUE FLAG_EXPECTED_BOOLEAN_VALUE
  JSON_IN_SINGLE_QUOTES WORKDIR_IS_NOT_ABSOLUTE BASE_NAME_EMPTY DUPLICATED_ESCAPE_DIRECTIVE
  DL1001 DL3000 DL3001 DL3002 DL3003 DL3004 DL3006 DL3007 DL3008 DL3009 DL3010 DL3011 DL3012 DL3013 DL3014 DL3015 DL3016
  DL3018 DL3019 DL3020 DL3021 DL3022 DL3023 DL3024 DL3025 DL3026 DL3027 DL3028 DL3029 DL3030 DL3032 DL3033 DL3034 DL3035
  DL3036 DL3037 DL3038 DL3040 DL3041 DL3042 DL3043 DL3044 DL3045 DL3046 DL3047 DL3048 DL3049 DL3050 DL3051 DL3052 DL3053
  DL3054 DL3055 DL3056 DL3057 DL3058 DL3059 DL3060 DL3061 DL3062 DL3063 DL3064 DL3065 DL3066 DL3067 DL4000 DL4001 DL4003
  DL4004 DL4005 DL4006 SC1000 SC1001 SC1007 SC1010 SC1018 SC1035 SC1045 SC1065 SC1066 SC1068 SC1077 SC1078 SC1079 SC1081
  SC1083 SC1086 SC1087 SC1091 SC1095 SC1097 SC1098 SC1099 SC2002 SC2015 SC2026 SC2028 SC2035 SC2039 SC2046 SC2086 SC2140
  SC2154 SC2155 SC2164`
  .trim()
  .split(/\s+/);
