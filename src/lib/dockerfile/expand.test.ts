/** Tests of word expansion: quotes, escapes, variables, modifiers, splitting, and hostile words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expandWord, expandWords } from './expand.ts';
import { parseDockerfile } from './parse.ts';
import { cpuTime } from './testdata/cpu-time.ts';

const VALUES: Readonly<Record<string, string>> = {
  PWD: '/home',
  SHELL: 'bash',
  EMPTY: '',
  PATH_LIKE: '/usr/local/bin/node.tar.gz',
  SPACED: 'a  b c',
  ДОМ: 'дом',
  STARS: 'a*b*c',
};

const env = (name: string): string | undefined =>
  Object.hasOwn(VALUES, name) ? VALUES[name] : undefined;

function check(cases: readonly (readonly [word: string, value: string])[]): void {
  for (const [word, value] of cases) {
    const found = expandWord(word, env, { escape: '\\' });
    assert.deepEqual(found.problems, [], word);
    assert.equal(found.value, value, word);
  }
}

test('quotes are taken off and keep what is in them', () => {
  check([
    ['hello', 'hello'],
    ["he'll'o", 'hello'],
    [`he"llo wo"rld`, 'hello world'],
    [`"he'llo"`, "he'llo"],
    [`'a\\b$PWD'`, 'a\\b$PWD'],
    [`"a\\"b\\$c\\\\d\\e"`, 'a"b$c\\d\\e'],
    ['a\\ b\\', 'a b'],
    ['""', ''],
  ]);
});

test('variables are put in where a shell would', () => {
  check([
    ['$PWD/x', '/home/x'],
    ['${PWD}x', '/homex'],
    ['"$PWD"', '/home'],
    ['\\$PWD', '$PWD'],
    ['$', '$'],
    ['$ $.', '$ $.'],
    ['$NOPE-', '-'],
    ['$ДОМ', 'дом'],
    ['$1x$@y', 'xy'],
    ['a$PWDx', 'a'],
  ]);
});

test('the modifiers - + ? with and without a colon treat unset and empty as a shell does', () => {
  check([
    ['${NOPE:-x}', 'x'],
    ['${NOPE-x}', 'x'],
    ['${EMPTY:-x}', 'x'],
    ['${EMPTY-x}', ''],
    ['${PWD:+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${EMPTY+x}', 'x'],
    ['${NOPE+x}', ''],
    ['${PWD:?gone}', '/home'],
    ['${EMPTY?gone}', ''],
    ['${NOPE:-${PWD}/${NOPE:-y}}', '/home/y'],
    ['${NOPE:-"a}b"}', 'a}b'],
    ['${NOPE:-a\\}b}', 'a}b'],
  ]);
});

test('prefixes and suffixes are taken off, the shortest or the longest', () => {
  check([
    ['${PATH_LIKE#*/}', 'usr/local/bin/node.tar.gz'],
    ['${PATH_LIKE##*/}', 'node.tar.gz'],
    ['${PATH_LIKE%.*}', '/usr/local/bin/node.tar'],
    ['${PATH_LIKE%%.*}', '/usr/local/bin/node'],
    ['${SHELL#?}', 'ash'],
    ['${SHELL%x}', 'bash'],
    ['${STARS#a\\*}', 'b*c'],
    ['${STARS%\\**}', 'a*b'],
    ['${NOPE#x}', ''],
  ]);
});

test('matches are replaced, the first or all', () => {
  check([
    ['${PATH_LIKE/node/deno}', '/usr/local/bin/deno.tar.gz'],
    ['${PATH_LIKE//\\//_}', '_usr_local_bin_node.tar.gz'],
    ['${STARS//\\*/-}', 'a-b-c'],
    ['${SHELL/b*s/x}', 'xh'],
    ['${SHELL//?/.}', '....'],
    ['${SHELL/zzz/.}', 'bash'],
  ]);
});

test('faults are problems that point into the word', () => {
  const cases = [
    ['a${PWD', "missing '}' after ${"],
    ['${}', 'bad substitution'],
    ['${PWD:^x}', 'unsupported modifier (:^) in substitution'],
    ['${PWD:#x}', 'unsupported modifier (:#) in substitution'],
    ['${NOPE:?no value}', 'NOPE: no value'],
    ['${NOPE?}', 'NOPE: is not allowed to be unset'],
    ['${EMPTY:?}', 'EMPTY: is not allowed to be empty'],
    ["it's", 'a single quote is opened and never closed'],
    ['"x', 'a double quote is opened and never closed'],
    ['${PWD#a\\b}', 'invalid pattern (a\\b) in substitution'],
    ['${PWD/x}', "missing '/' in ${…}"],
  ] as const;
  for (const [word, message] of cases) {
    const { problems } = expandWord(word, env, { escape: '\\' });
    assert.deepEqual(
      problems.map((problem) => [problem.code, problem.message]),
      [['InvalidExpansion', message]],
      word,
    );
  }
});

test('a fault behind a line continuation is reported on its own line', () => {
  const file = parseDockerfile('FROM a\nENV A=x\\\n${}y\n');
  const env1 = file.instructions[1];
  assert.ok(env1?.kind === 'ENV');
  const value = env1.pairs[0]?.value;
  assert.ok(value !== undefined);
  const { problems } = expandWord(value, env, { escape: '\\', lines: file.lines });
  assert.deepEqual(problems[0]?.range.start, { offset: 16, line: 2, character: 0 });
});

test('the escape directive decides which character escapes', () => {
  assert.equal(expandWord('C:\\dir`$x', env, { escape: '`' }).value, 'C:\\dir$x');
});

test('names that were asked for are listed by whether they have a value', () => {
  const found = expandWord('$PWD$PWD$NOPE${OTHER:-$SHELL}', env, { escape: '\\' });
  assert.deepEqual(found.used, ['PWD', 'SHELL']);
  assert.deepEqual(found.unset, ['NOPE', 'OTHER']);
});

test('words split at white space outside quotes, also at that of variables', () => {
  const words = (text: string): string[] =>
    expandWords(text, env, { escape: '\\' }).words.map(({ value }) => value);
  assert.deepEqual(words('80 443/tcp'), ['80', '443/tcp']);
  assert.deepEqual(words('x$SPACED y'), ['xa', 'b', 'c', 'y']);
  assert.deepEqual(words('"$SPACED" \'p q\' r\\ s'), ['a  b c', 'p q', 'r s']);
  assert.deepEqual(words('pre${NOPE:-fix x}'), ['prefix', 'x']);
  assert.deepEqual(words('  '), []);
});

test('variables without a value can stay as they are', () => {
  const options = { escape: '\\', keepUnset: true } as const;
  assert.equal(expandWord('$A ${B} ${C:-d} $PWD', env, options).value, '$A ${B} ${C:-d} /home');
});

test('hostile words end soon with a problem', () => {
  const deep = expandWord('${a:-'.repeat(100_000), env, { escape: '\\' });
  assert.equal(deep.problems[0]?.message, 'variables are nested too deeply');
  const big = 'x'.repeat(100_000);
  const grown = expandWord('$A'.repeat(1000), () => big, { escape: '\\' });
  assert.match(grown.problems[0]?.message ?? '', /4 MiB/);
  const took = cpuTime(() => {
    expandWord(`\${A##${'*x'.repeat(50)}y}`, () => big, { escape: '\\' });
    expandWord(`\${A//${'*x'.repeat(50)}y/}`, () => big, { escape: '\\' });
  });
  assert.ok(took < 3000, `${took.toFixed()} ms`);
});

test('expansion never throws', () => {
  const piece = fc.constantFrom(
    '$',
    '{',
    '}',
    ':',
    '-',
    '+',
    '?',
    '#',
    '%',
    '/',
    '"',
    "'",
    '\\',
    'A',
    ' ',
    '<',
    '*',
    '😀',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), fc.string(), (parts, value) => {
      const found = expandWords(parts.join(''), (name) => (name === 'A' ? value : undefined), {
        escape: '\\',
      });
      assert.equal(typeof found.value, 'string');
      for (const word of found.words) assert.notEqual(word.value, '');
    }),
    { numRuns: 2000 },
  );
});
