/** Tests of Compose's variable interpolation. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { interpolate } from './interpolate.ts';

const VALUES: Readonly<Record<string, string>> = { FOO: 'foo', BAR: 'bar', EMPTY: '', X1: 'one' };
const env = (name: string): string | undefined =>
  Object.hasOwn(VALUES, name) ? VALUES[name] : undefined;

function check(cases: readonly (readonly [text: string, value: string])[]): void {
  for (const [text, value] of cases) {
    const found = interpolate(text, env);
    assert.deepEqual(found.faults, [], text);
    assert.equal(found.value, value, text);
  }
}

test('names with and without braces are put in', () => {
  check([
    ['$FOO', 'foo'],
    ['a${FOO}b$BAR.c', 'afoobbar.c'],
    ['$X1-$FOO_', 'one-'],
    ['plain', 'plain'],
    ['', ''],
  ]);
});

test('two dollars are one', () => {
  check([
    ['$$FOO $${FOO} $$$$', '$FOO ${FOO} $$'],
    ['$$$FOO', '$foo'],
  ]);
});

test('the modifiers treat unset and empty as the specification says', () => {
  check([
    ['${NOPE:-d}', 'd'],
    ['${NOPE-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${FOO:-d}', 'foo'],
    ['${FOO:+r}', 'r'],
    ['${EMPTY:+r}', ''],
    ['${EMPTY+r}', 'r'],
    ['${NOPE+r}', ''],
    ['${FOO?no}', 'foo'],
    ['${EMPTY?no}', ''],
    ['${NOPE:-}', ''],
    ['${NOPE:-a:-b}', 'a:-b'],
  ]);
});

test('the word of a modifier may hold variables itself', () => {
  check([
    ['${NOPE:-${BAR}-${NOPE:-$FOO}}', 'bar-foo'],
    ['${FOO:-${NOPE:?never asked}}x', 'foox'],
    ['${NOPE:-$$x}', '$x'],
  ]);
});

test('faults say what is wrong and where', () => {
  const cases = [
    ['a $ b', 'a dollar must be followed by a name, a brace or a dollar', 2, 3],
    ['$', 'a dollar must be followed by a name, a brace or a dollar', 0, 1],
    ['${1}', '${…} needs a name that begins with a letter or an underscore', 0, 2],
    ['${FOO', "${FOO is not closed: '}' is missing", 0, 5],
    ['${FOO:x}', '${FOO…} has an unknown modifier', 0, 5],
    ['${NOPE:?set it}', 'required variable NOPE is missing a value: set it', 0, 15],
    ['x${EMPTY:?}', 'required variable EMPTY is missing a value', 1, 11],
  ] as const;
  for (const [text, message, start, end] of cases) {
    assert.deepEqual(interpolate(text, env).faults[0], { message, start, end }, text);
  }
});

test('names are listed by whether they have a value or needed one', () => {
  const { used, unset } = interpolate('$FOO $NOPE $FOO ${OTHER:-x} ${FOO:-$HIDDEN}', env);
  assert.deepEqual(used, ['FOO']);
  assert.deepEqual(unset, ['NOPE']);
});

test('no text throws, and deep nesting is a fault', () => {
  const pieces = fc.constantFrom('$', '{', '}', ':', '-', '?', '+', 'FOO', 'N', ' ', '😀');
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      assert.equal(typeof interpolate(parts.join(''), env).value, 'string');
    }),
    { numRuns: 2000 },
  );
  assert.match(interpolate('${A:-'.repeat(100_000), env).faults[0]?.message ?? '', /too deeply/);
});
