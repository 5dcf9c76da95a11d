/** Frames come out as they went in, however the bytes are cut. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameHeader, StdDemultiplexer } from './stdcopy.ts';
import type { StdStream } from './stdcopy.ts';

const frame = (stream: StdStream, text: string): Buffer =>
  Buffer.concat([frameHeader(stream, text.length), Buffer.from(text)]);

test('a stream cut at every place gives the same text on each side', () => {
  const whole = Buffer.concat([
    frame('stdout', 'one'),
    frame('stderr', 'two'),
    frame('stdout', ''),
    frame('stdout', 'three'),
  ]);
  for (let size = 1; size <= whole.length; size += 1) {
    const demultiplexer = new StdDemultiplexer();
    const got: Record<string, string> = {};
    for (let at = 0; at < whole.length; at += size) {
      for (const { stream, data } of demultiplexer.push(whole.subarray(at, at + size))) {
        got[stream] = (got[stream] ?? '') + Buffer.from(data).toString();
      }
    }
    assert.deepEqual(got, { stdout: 'onethree', stderr: 'two' });
    assert.ok(demultiplexer.complete);
  }
});

test('a stream that ends within a frame is not complete', () => {
  const demultiplexer = new StdDemultiplexer();
  demultiplexer.push(frame('stdout', 'cut').subarray(0, 9));
  assert.equal(demultiplexer.complete, false);
});

test('bytes that are no frame are refused', () => {
  assert.throws(
    () => new StdDemultiplexer().push(Buffer.from('plain text')),
    /not a multiplexed stream/,
  );
});
