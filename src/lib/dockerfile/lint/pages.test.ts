/**
 * Tests every rule on its page: the bad example is caught, the good one by no rule, a fix takes the finding away and leaves a
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
import { pageOf, RULES } from './table.ts';

const FOLDER = new URL('../../../../docs/rules/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), 'utf8');

/** What the examples suppose of the world around the file. */
const WORLD: LintOptions = {
  ...DEFAULT_OPTIONS,
  context: {
    source: (path) =>
      path === 'ignored.txt' ? 'ignored' : path === 'absent.txt' ? 'absent' : 'found',
  },
  images: {
    environment: () => undefined,
    platform: () => 'linux/amd64',
    user: () => 'sailor',
    shell: () => undefined,
  },
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

function problemsOf(text: string, options: LintOptions): readonly LintProblem[] {
  return lintDockerfile(parseDockerfile(text), options).problems;
}

function findingsOf(rule: Rule, text: string, options: LintOptions): LintProblem[] {
  return problemsOf(text, options).filter(({ code }) => code === rule.id);
}

for (const rule of RULES) {
  test(`${rule.id} catches what its page calls bad, and no rule what it calls good`, () => {
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
    const others = problemsOf(good, options).map(({ code, message }) => `${code}: ${message}`);
    assert.deepEqual(others, [], `caught in:\n${good}`);
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

test('ids are unique, and a hundred rules and more have fixes', () => {
  assert.equal(new Set(RULES.map(({ id }) => id)).size, RULES.length);
  assert.ok(RULES.filter(({ fixable }) => fixable).length >= 100);
});
