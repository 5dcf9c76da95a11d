/** Logs as text with colours, cut into lines, kept in bounds and searched; whatever a program writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pageText } from '../page.ts';
import { AnsiReader, FLAG } from './ansi.ts';
import { createFeed } from './feed.ts';
import { LINE_LIMIT, LogLines } from './lines.ts';
import { isFromView, type LogLine, type ToView } from './messages.ts';

/** `text|start-end:fg,bg,flags …` of a line. */
function read(line: string, reader = new AnsiReader()): string {
  const { text, spans } = reader.read(line);
  return [text, ...spans.map(([from, to, ...style]) => `${from}-${to}:${style.join()}`)].join('|');
}

test('colours and weights become spans', () => {
  assert.equal(read('plain'), 'plain');
  assert.equal(read('a\u001b[31mred\u001b[0mb'), 'ared b'.replace(' ', '') + '|1-4:1,-1,0');
  assert.equal(read('\u001b[1;4;92mx'), `x|0-1:10,-1,${FLAG.bold | FLAG.underline}`);
  assert.equal(
    read('\u001b[38;5;208mx\u001b[48;2;1;2;3my'),
    `x|0-1:208,-1,0|1-2:208,16843267,0`.replace('x|', 'xy|'),
  );
  assert.equal(read('\u001b[38:5:9mx\u001b[39my'), 'xy|0-1:9,-1,0');
  assert.equal(read('\u001b[1mx\u001b[22my\u001b[mz'), `xyz|0-1:-1,-1,${FLAG.bold}`);
  assert.equal(
    read('\u001b[38;5mx\u001b[38mx\u001b[999mx'),
    'xxx|0-1:0,-1,0|1-2:0,-1,0|2-3:0,-1,0',
  );
});

test('colours go on in the next line, as in a terminal', () => {
  const reader = new AnsiReader();
  assert.equal(read('\u001b[31mone', reader), 'one|0-3:1,-1,0');
  assert.equal(read('two\u001b[0m', reader), 'two|0-3:1,-1,0');
  assert.equal(read('three', reader), 'three');
});

test('a carriage return and a backspace write over what is there', () => {
  assert.equal(read('10%\r20%'), '20%');
  assert.equal(read('loading\rdone'), 'doneing');
  assert.equal(read('loading\rdone\u001b[K'), 'done');
  assert.equal(read('\u001b[31mred\u001b[0m\rx'), 'xed|1-3:1,-1,0');
  assert.equal(read('ab\bc'), 'ac');
  assert.equal(read('\u001b[2Kx\u001b[1Gy'), 'y');
  assert.equal(read('a\tb'), 'a       b');
});

test('what a terminal would obey does nothing', () => {
  assert.equal(
    read('\u001b]0;title\u0007a\u001b]8;;https://evil.example\u001b\\link\u001b]8;;\u001b\\'),
    'alink',
  );
  assert.equal(read('\u001b[2J\u001b[10;10Ha\u001b[?1049hb\u001bcz'), 'abz');
  assert.equal(read('\u001bP q payload \u001b\\x'), 'x');
  assert.equal(read('x\u001b]never ends'), 'x');
  assert.equal(read('\u009b31mred'), 'red|0-3:1,-1,0');
  assert.equal(read('a\u0001\u007f\u0000\u202eb'), 'a\u2401\u2421\ufffdb');
  assert.equal(read('cut\u001b['), 'cut');
});

test('no text breaks it, and spans lie within it in order', () => {
  const noise = fc.string({
    unit: fc.constantFrom(
      '\u001b',
      '[',
      ']',
      '3',
      '8',
      ';',
      '5',
      'm',
      'K',
      'D',
      'C',
      'G',
      '\r',
      '\b',
      '\t',
      'a',
      'é',
      '\u009b',
      '\u0007',
      '\\',
    ),
  });
  const reader = new AnsiReader();
  fc.assert(
    fc.property(noise, (line) => {
      const { text, spans } = reader.read(line);
      let last = 0;
      for (const [from, to] of spans) {
        assert.ok(from >= last && to > from && to <= text.length);
        last = to;
      }
      assert.doesNotMatch(text, /\p{Cc}/u);
    }),
  );
});

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

test('lines are put together from pieces, with their times, each stream by itself', () => {
  const lines = new LogLines();
  const time = '2026-11-21T05:00:00.123456789Z';
  assert.deepEqual(lines.push('stdout', bytes(`${time} on`)), []);
  assert.deepEqual(lines.push('stderr', bytes(`${time} bad\n`)), [[1, time, 'bad', []]]);
  assert.deepEqual(lines.push('stdout', bytes('e\r\ntwo\n')), [
    [0, time, 'one', []],
    [0, '', 'two', []],
  ]);
  lines.push('stdout', bytes('rest'));
  assert.deepEqual(lines.end(), [[0, '', 'rest', []]]);
  assert.deepEqual(lines.end(), []);
});

test('characters are put together over pieces, and invalid ones marked', () => {
  const lines = new LogLines();
  const euro = bytes('€');
  lines.push('stdout', euro.subarray(0, 1));
  assert.deepEqual(
    lines.push('stdout', Buffer.concat([euro.subarray(1), Buffer.from([0xff, 0x0a])])),
    [[0, '', '€\ufffd', []]],
  );
});

test('a megabyte without an end is cut into lines', () => {
  const lines = new LogLines();
  const got = lines.push('stdout', bytes('x'.repeat(1_000_000)));
  const all = [...got, ...lines.push('stdout', bytes('\n'))];
  assert.ok(all.every(([, , text]) => text.length <= LINE_LIMIT));
  assert.equal(
    all.reduce((sum, [, , text]) => sum + text.length, 0),
    1_000_000,
  );
});

test('a hundred thousand lines are read in well under a second', () => {
  const lines = new LogLines();
  const chunk = bytes(
    Array.from(
      { length: 1000 },
      (_, at) =>
        `2026-11-21T05:00:00.123456789Z \u001b[32minfo\u001b[0m request ${at} took 12 ms\n`,
    ).join(''),
  );
  const started = performance.now();
  let count = 0;
  for (let at = 0; at < 100; at += 1) count += lines.push('stdout', chunk).length;
  assert.equal(count, 100_000);
  const took = performance.now() - started;
  assert.ok(took < 5000, `${took} ms`);
});

test('a view that is slow makes the log wait, and gets every line once', async () => {
  const sent: ToView[] = [];
  const feed = createFeed((message) => void sent.push(message));
  const line = (at: number): LogLine => [0, '', String(at), []];
  let through = false;
  const many = Array.from({ length: 20_000 }, (_, at) => line(at));
  const given = feed.lines(many).then(() => {
    through = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent.length, 2);
  assert.equal(through, false);
  for (let at = 0; at < 8; at += 1) feed.more();
  await given;
  const got = sent.flatMap((message) => (message.type === 'lines' ? message.lines : []));
  assert.deepEqual(
    got.map(([, , text]) => Number(text)),
    many.map((_, at) => at),
  );
});

test('only known messages of the view are heard', () => {
  assert.ok(isFromView({ type: 'ready' }));
  assert.ok(isFromView({ type: 'save', text: 'x' }));
  for (const wrong of [null, 7, {}, { type: 'run' }, { type: 'copy' }, { type: 'copy', text: 1 }])
    assert.equal(isFromView(wrong), false);
});

test('the page has one policy and quotes what is given', () => {
  const page = pageText({
    title: '<x>"',
    source: 'https://a',
    nonce: 'n',
    styles: ['s.css'],
    scripts: ['m.js'],
    body: '',
  });
  assert.match(
    page,
    /default-src &#39;none&#39;; style-src https:\/\/a; script-src &#39;nonce-n&#39;/,
  );
  assert.match(page, /<title>&lt;x&gt;&quot;<\/title>/);
  assert.doesNotMatch(page, /unsafe/);
});

interface Rows {
  readonly count: number;
  readonly gone: number;
  readonly widest: number;
  push(lines: readonly LogLine[]): number;
  wrap(columns: number): void;
  rowOf(index: number): number;
  at(row: number): { readonly index: number; readonly part: number };
  range(index: number, part: number): readonly [number, number];
}

interface RowsModule {
  readonly Rows: new (limit: number) => Rows;
  readonly searchOf: (
    query: string,
    how: { regex: boolean; matchCase: boolean },
  ) => RegExp | string | undefined;
  readonly matchesIn: (text: string, expression: RegExp) => [number, number][];
}

const view = (await import(
  new URL('../../../../media/webview/logs/rows.js', import.meta.url).href
)) as RowsModule;

test('rows are bounded, and wrapped lines are found by their rows', () => {
  const rows = new view.Rows(1000);
  const line = (text: string): LogLine => [0, '', text, []];
  rows.wrap(10);
  rows.push([line('short'), line('x'.repeat(25)), line('漢'.repeat(7)), line('')]);
  assert.equal(rows.count, 1 + 3 + 2 + 1);
  assert.deepEqual(rows.at(3), { index: 1, part: 2 });
  assert.deepEqual(rows.range(1, 2), [20, 25]);
  assert.deepEqual(rows.range(2, 1), [5, 7]);
  assert.equal(rows.rowOf(3), 6);
  rows.wrap(0);
  assert.equal(rows.count, 4);
  assert.equal(rows.widest, 25);
  rows.wrap(10);
  const went = rows.push(Array.from({ length: 2000 }, () => line('y'.repeat(15))));
  assert.equal(rows.gone, 1004);
  assert.equal(went, 7 + 2 * 1000);
  assert.equal(rows.count, 2000);
  assert.deepEqual(rows.at(1999), { index: 999, part: 1 });
});

test('searches find what they mean', () => {
  const found = (
    query: string,
    how = { regex: false, matchCase: false },
    text = 'A.b a.B aXb',
  ): unknown => {
    const expression = view.searchOf(query, how);
    return expression instanceof RegExp ? view.matchesIn(text, expression).length : expression;
  };
  assert.equal(found('a.b'), 2);
  assert.equal(found('a.b', { regex: true, matchCase: false }), 3);
  assert.equal(found('a.B', { regex: false, matchCase: true }), 1);
  assert.equal(found(''), undefined);
  assert.equal(found('x*', { regex: true, matchCase: false }), 1);
  assert.match(String(found('(', { regex: true, matchCase: false })), /\(/);
});
