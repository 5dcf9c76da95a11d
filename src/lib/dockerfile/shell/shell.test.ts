/** Tests of the shell reading: golden files (UPDATE=1 rewrites them), and properties that hold for every text. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Range, readShell, readShellText, type ShellScript } from './read.ts';
import { SourceText } from '../source.ts';
import { printScript } from './testdata/print.ts';
import { commandsOf } from './walk.ts';

const DATA = new URL('testdata/', import.meta.url);
const SCRIPTS = readdirSync(DATA).filter((file) => file.endsWith('.sh'));
const read = (name: string): string => readFileSync(new URL(name, DATA), 'utf8');

for (const name of SCRIPTS) {
  test(`${name} is read as its golden tree`, () => {
    const printed = printScript(readShellText(read(name), 'bash'));
    const golden = new URL(name.replace(/\.sh$/, '.golden'), DATA);
    if (process.env['UPDATE'] === '1') writeFileSync(golden, printed);
    assert.equal(printed, readFileSync(golden, 'utf8'));
  });
}

test('scripts that a shell accepts have no problems', () => {
  for (const name of ['install.sh', 'control.sh', 'words.sh', 'windows.sh']) {
    assert.deepEqual(readShellText(read(name), 'bash').problems, [], name);
  }
});

const PIECES = [
  ...['if ', 'then ', 'elif ', 'else ', 'fi', 'for ', 'in ', 'do ', 'done', 'case ', 'esac', ';;'],
  ...['while ', 'until ', 'select ', 'function ', '{ ', '}', '( ', ')', '((', '))', '[[ ', ' ]]'],
  ...['! ', 'time ', 'a', 'b c', ' ', '\n', '\r\n', '\t', '\\\n', '\\', "'", '"', '`', '\\`', '$'],
  ...['$x', '${', '${x:-', '}', '$(', '$((', '<(', '<<E', '<<-"E"', '\nE\n', '<<<', '>', '2>&1'],
  ...['&&', '||', '|', '|&', '&', ';', '#', '*', '[a-z]', '{a,b}', '@(', 'x=', 'x=(', 'x[1]=', '='],
  ...['😀', '\u0000', "$'", '$"', '{fd}>', '~', ',', '..'],
] as const;

const texts = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 60 })
  .map((parts) => parts.join(''));

test('no text makes the reading throw; its ranges lie in the text, are nested and in order', () => {
  const any = fc.oneof(texts, fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(any, fc.constantFrom('sh' as const, 'bash' as const), (text, dialect) => {
      const script = readShellText(text, dialect);
      assertNested(script, { start: 0, end: text.length });
      assertOrdered(script);
      assert.ok(script.work <= 20_000 + 20 * text.length);
    }),
    { numRuns: 5000 },
  );
});

test('a mutated script is read without throwing, and every word has the text of its range', () => {
  const all = SCRIPTS.map(read);
  fc.assert(
    fc.property(
      fc.constantFrom(...all),
      fc.nat(),
      fc.nat(40),
      fc.string(),
      (text, at, cut, put) => {
        const from = at % (text.length + 1);
        const mutated = text.slice(0, from) + put + text.slice(from + cut);
        const script = readShellText(mutated, 'bash');
        assertNested(script, { start: 0, end: mutated.length });
        for (const { command } of commandsOf(script)) {
          const { range } = command;
          assert.ok(mutated.slice(range.start, range.end).length > 0);
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('taking continuations out of a text moves the ranges and nothing else', () => {
  fc.assert(
    fc.property(texts, fc.array(fc.nat(200), { maxLength: 5 }), (text, cuts) => {
      const at = [...new Set(cuts.filter((cut) => cut > 0 && cut < text.length))].sort(
        (a, b) => a - b,
      );
      const starts = [0, ...at];
      const breaks = starts.map((index, number) => ({ index, offset: index + number * 7 }));
      const plain = readShellText(text, 'bash');
      const moved = readShell(new SourceText(text, breaks), 'bash');
      const shift = (index: number): number => index + 7 * at.filter((cut) => cut <= index).length;
      const expected = commandsOf(plain).map(({ command: { range } }) => ({
        start: shift(range.start),
        end: range.end > range.start ? shift(range.end - 1) + 1 : shift(range.start),
      }));
      const got = commandsOf(moved).map(({ command: { range } }) => ({ ...range }));
      assert.deepEqual(got, expected);
    }),
    { numRuns: 2000 },
  );
});

const HOSTILE = [
  ...['a ', '$(', '"$(', '`', '`a \\`', '(', '{ ', 'if ', '<<a ', 'cat <<a\n', '${a:-', '$(('],
  ...[
    'case a in a) ',
    '[[ ( ',
    '((',
    '[a',
    '{a,',
    '@(',
    "'",
    '"',
    'a=(',
    'a|',
    'a&&',
    'f() ',
    '! ',
  ],
  ...[
    '${a[',
    '<(',
    '[[:',
    '$((")',
    '$(($(#))',
    '))',
    'fi;',
    '\\\n',
    '#',
    ';;',
    '> ',
    '$(<<a\n',
    '{a..',
  ],
];

test('the work on hostile text grows with its length only', () => {
  for (const piece of HOSTILE) {
    for (const tail of ['', ')', '))', '}']) {
      const text = piece.repeat(20_000) + tail.repeat(20_000);
      const { work } = readShellText(text, 'bash');
      assert.ok(
        work < 20_000 + 6 * text.length,
        `${JSON.stringify(piece + tail)}: ${String(work)}`,
      );
    }
  }
});

test('a text too long to be written by hand is reported and left unread', () => {
  const { problems, body } = readShellText('a '.repeat(600_000));
  assert.deepEqual([problems.map(({ code }) => code), body.items.length], [['too-long'], 0]);
});

test('nesting beyond the limit is reported once', () => {
  const { problems } = readShellText('$('.repeat(5000), 'sh');
  assert.equal(problems.filter(({ code }) => code === 'too-deep').length, 1);
});

/** Every `range` within is inside that of what holds it. Function bodies and heredocs are placed by their own words. */
function assertNested(node: unknown, outer: Range): void {
  if (Array.isArray(node)) {
    for (const item of node) assertNested(item, outer);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const found = 'range' in node ? (node.range as Range) : outer;
  assert.ok(found.start <= found.end, JSON.stringify(found));
  assert.ok(found.start >= outer.start && found.end <= outer.end, JSON.stringify({ found, outer }));
  for (const [key, value] of Object.entries(node)) {
    const free = key === 'heredoc' || key === 'marks' || key === 'problems';
    if (!/range$/i.test(key)) assertNested(value, free ? WHOLE : found);
  }
}

const WHOLE: Range = { start: 0, end: Number.MAX_SAFE_INTEGER };

function assertOrdered({ marks }: ShellScript): void {
  let end = 0;
  for (const { range } of marks) {
    assert.ok(range.start >= end, JSON.stringify(marks));
    end = range.end;
  }
}
