/** Tests of .dockerignore reading against the cases that moby's pattern matcher documents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDockerignore } from './dockerignore.ts';
import { cpuTime } from './testdata/cpu-time.ts';

function check(patterns: string, ignored: readonly string[], kept: readonly string[]): void {
  const file = parseDockerignore(patterns);
  assert.deepEqual(file.problems, []);
  for (const path of ignored)
    assert.ok(file.matches(path), `${path} should be ignored by ${patterns}`);
  for (const path of kept) assert.ok(!file.matches(path), `${path} should be kept by ${patterns}`);
}

test('a name matches itself and everything below it, but not deeper namesakes', () => {
  check(
    'node_modules',
    ['node_modules', 'node_modules/a/b.js'],
    ['src/node_modules', 'node_modules2'],
  );
});

test('a leading slash, a trailing slash and dots mean the same as none', () => {
  check('/a/b/\n./c//d\ne/../f', ['a/b', 'a/b/x', 'c/d', 'f'], ['e', 'b', 'c']);
});

test('a star stays within one part of the path', () => {
  check('*.md\ndocs/*/x', ['README.md', 'docs/a/x'], ['docs/README.md', 'docs/a/b/x']);
});

test('two stars reach any depth', () => {
  check('**/*.log', ['a.log', 'x/y/a.log'], ['a.logs']);
  check('**/dist', ['dist', 'x/dist', 'x/dist/y'], ['xdist']);
  check('**dist', ['dist', 'xdist', 'x/ydist'], ['dist2']);
  check('a/**/b', ['a/b', 'a/x/b', 'a/x/y/b/c'], ['a/xb', 'b']);
  check('a/**', ['a/b', 'a/b/c'], ['a', 'ab']);
  check('**', ['a', 'a/b'], []);
});

test('an exclamation mark takes paths back in, and the last match decides', () => {
  check('*.md\n!README*.md\nREADME-secret.md', ['a.md', 'README-secret.md'], ['README.md']);
  check('dir\n!dir/keep', ['dir', 'dir/a'], ['dir/keep', 'dir/keep/x']);
  check('!a\na', ['a'], ['b']);
});

test('question marks, classes and escapes are understood', () => {
  check('file?.txt', ['file1.txt'], ['file.txt', 'file12.txt', 'file/.txt']);
  check('[a-c]x\n[^d-z]y', ['ax', 'cx', 'ay'], ['dx', 'ey']);
  check('a\\*b\na.b', ['a*b', 'a.b'], ['axb']);
});

test('comments, empty lines, white space, a byte order mark and carriage returns are taken off', () => {
  const file = parseDockerignore('\uFEFF# c\r\n\r\n  a  \r\n#b\n! c \n');
  assert.deepEqual(
    file.patterns.map(({ text, negated }) => [text, negated]),
    [
      ['a', false],
      ['c', true],
    ],
  );
});

test('bad patterns are reported with their place', () => {
  const file = parseDockerignore('ok\n[a-\n!\nx\\\n');
  assert.deepEqual(
    file.problems.map(({ message, range }) => [range.start.line, message]),
    [
      [1, "'[a-' is no valid pattern"],
      [2, "'!' is no valid pattern"],
      [3, "'x\\' is no valid pattern"],
    ],
  );
});

test('the root of the context is never ignored', () => {
  assert.equal(parseDockerignore('*\n**').matches('.'), false);
});

test('a directory is pruned only when nothing below it can come back', () => {
  const file = parseDockerignore('node_modules\nvendor\ndocs\n!vendor/keep\n!docs/*.md');
  assert.equal(file.prunes('node_modules'), true);
  assert.equal(file.prunes('vendor'), false);
  assert.equal(file.prunes('vendor/other'), true);
  assert.equal(file.prunes('docs'), false);
  assert.equal(file.prunes('src'), false);
  assert.equal(parseDockerignore('a\n!**/b').prunes('a'), false);
});

test('no pattern throws or takes long on any path', () => {
  const alphabet = fc.constantFrom(
    '*',
    '**',
    '/',
    'a',
    'b',
    '?',
    '[',
    ']',
    '^',
    '-',
    '\\',
    '!',
    '.',
    '\n',
    ' ',
  );
  const texts = fc.array(alphabet, { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, fc.string(), (patterns, path) => {
      const file = parseDockerignore(patterns);
      assert.equal(typeof file.matches(path), 'boolean');
      assert.equal(typeof file.prunes(path), 'boolean');
    }),
  );
  const hostile = parseDockerignore(`${'*a'.repeat(50)}b`);
  assert.ok(cpuTime(() => void hostile.matches('a'.repeat(250)), 3) < 500);
});
