/** Tests of the base protocol's frames: whole ones go through however they are cut, and what is none is passed over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Frames } from './frames.ts';

/** What comes out when the bytes come in such pieces. */
function through(bytes: string, pieces: readonly number[] = []): string {
  const found: string[] = [];
  const frames = new Frames((body) => found.push(frame(body.toString())));
  const whole = Buffer.from(bytes);
  let at = 0;
  for (const piece of pieces) {
    frames.take(whole.subarray(at, at + piece));
    at += piece;
  }
  frames.take(whole.subarray(at));
  return found.join('');
}

const frame = (body: string): string =>
  `Content-Length: ${String(Buffer.byteLength(body))}\r\n\r\n${body}`;

const GOOD = `${frame('{"a":"é😀"}')}${frame('')}${frame('{"b":"Content-Length: 3\\r\\n\\r\\n"}')}`;

test('messages go through as they are, in whatever pieces they come', () => {
  assert.equal(through(GOOD), GOOD);
  assert.equal(
    through(
      GOOD,
      Array.from(GOOD, () => 1),
    ),
    GOOD,
  );
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 20 }), (pieces) => {
      assert.equal(through(GOOD, pieces), GOOD);
    }),
    { numRuns: 200 },
  );
});

test("headers may come in any casing and with others beside the length's", () => {
  const body = '{}';
  const type = 'Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n';
  for (const header of [
    'content-length:2\r\n',
    'CONTENT-LENGTH:   2 \r\n',
    `${type}Content-Length: 2\r\n`,
    `Content-Length: 2\r\n${type}`,
  ])
    assert.equal(through(`${header}\r\n${body}`), frame(body), header);
});

const JUNK: readonly string[] = [
  'hello\r\n\r\n',
  'Foo: x\r\n\r\n{}',
  'Content-Length: -5\r\n\r\n{}',
  'Content-Length: x\r\n\r\n{}',
  'Content-Length: 2\n\n{}',
  'Content-Length: 99999999999\r\n\r\n',
  'Content-Length: 2\r\nno colon here\r\n\r\n{}',
  `Content-Length: ${'1'.repeat(10_000)}`,
  'Content-Length:',
  '\u0000'.repeat(20_000),
  `${frame('{"a":1}')}garbage behind`,
];

for (const junk of JUNK) {
  test(`the message behind ${JSON.stringify(junk.slice(0, 40))} is found`, () => {
    const good = frame('{"good":true}');
    const kept = junk.startsWith(frame('{"a":1}')) ? frame('{"a":1}') : '';
    assert.equal(through(junk + good), kept + good);
    assert.equal(
      through(
        junk + good,
        Array.from(junk + good, () => 1),
      ),
      kept + good,
    );
  });
}

test('a body that is longer than its length says ends where it says, and the next message is found', () => {
  const text = `Content-Length: 3\r\n\r\n{"a":1}${frame('{"b":2}')}`;
  assert.equal(through(text), `Content-Length: 3\r\n\r\n{"a${frame('{"b":2}')}`);
});

test('any bytes between messages cost linear time', () => {
  const started = performance.now();
  through(`${'Content-Length: '.repeat(100_000)}${frame('{}')}`);
  assert.ok(performance.now() - started < 3000);
});
