/** Checks logs, detach keys and deferred streams on real files and streams. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { LogOptions } from '../types.ts';
import { DeferredStream } from './deferred.ts';
import { detachFilter, parseKeys } from './detach.ts';
import { frame } from './frames.ts';
import { readLogs, toNano } from './logs.ts';

const all: LogOptions = {
  stdout: true,
  stderr: true,
  follow: false,
  timestamps: false,
  tail: undefined,
  sinceNano: undefined,
  untilNano: undefined,
};

function line(log: string, second = 0, stream = 'stdout'): string {
  const time = `2026-01-01T00:00:${String(second).padStart(2, '0')}.5Z`;
  return `${JSON.stringify({ log: `${log}\n`, stream, time })}\n`;
}

function logFile(context: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-logs-'));
  context.after(() => rmSync(dir, { recursive: true }));
  return join(dir, 'x-json.log');
}

function read(path: string, options: Partial<LogOptions> = {}): Promise<string> {
  const source = { path, tty: true, isOpen: () => false, onClose: () => () => undefined };
  return text(readLogs(source, { ...all, ...options }, new AbortController().signal));
}

test('rotated files are read oldest first, and torn lines are passed over', async (context) => {
  const path = logFile(context);
  writeFileSync(`${path}.2`, line('1'));
  writeFileSync(`${path}.1`, line('2'));
  writeFileSync(path, `${line('3')}garbage\n{"log":"torn`);
  assert.equal(await read(path), '1\n2\n3\n');
});

test('tail counts lines from the end, over files and blocks', async (context) => {
  const path = logFile(context);
  writeFileSync(`${path}.1`, line('old') + line('older'));
  writeFileSync(path, Array.from({ length: 3000 }, (_, index) => line(String(index))).join(''));
  assert.equal(await read(path, { tail: 0 }), '');
  assert.equal(await read(path, { tail: 2 }), '2998\n2999\n');
  const long = await read(path, { tail: 2500 });
  assert.equal(long.split('\n')[0], '500');
  assert.equal((await read(path, { tail: 3001 })).split('\n')[0], 'older');
  assert.equal((await read(path, { tail: 9999 })).split('\n')[0], 'old');
});

test('since, until, streams and timestamps select and decorate', async (context) => {
  const path = logFile(context);
  writeFileSync(path, line('a', 1) + line('b', 2, 'stderr') + line('c', 3));
  const at = (second: number) => toNano(`2026-01-01T00:00:0${String(second)}Z`);
  assert.equal(await read(path, { sinceNano: at(2), untilNano: at(3) }), 'b\n');
  assert.equal(await read(path, { stderr: false }), 'a\nc\n');
  assert.equal(
    await read(path, { tail: 1, timestamps: true }),
    '2026-01-01T00:00:03.500000000Z c\n',
  );
});

test(
  'following misses nothing through a rotation and ends with the container',
  { timeout: 10_000 },
  async (context) => {
    const path = logFile(context);
    writeFileSync(path, line('0'));
    let isOpen = true;
    let close: () => void = () => undefined;
    const source = {
      path,
      tty: true,
      isOpen: () => isOpen,
      onClose: (listener: () => void) => {
        close = listener;
        return () => undefined;
      },
    };
    const output = text(readLogs(source, { ...all, follow: true }, new AbortController().signal));
    for (let count = 1; count < 200; count++) {
      appendFileSync(path, line(String(count)));
      if (count % 50 === 0) {
        renameSync(path, `${path}.${String(4 - count / 50)}`);
        writeFileSync(path, '');
      }
      if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    isOpen = false;
    close();
    const lines = (await output).trim().split('\n').map(Number);
    assert.deepEqual(lines, [...new Set(lines)]);
    assert.ok(lines.includes(199));
  },
);

test('frames carry stream and length', () => {
  assert.deepEqual([...frame('stderr', Buffer.from('ab'))], [2, 0, 0, 0, 0, 0, 0, 2, 97, 98]);
});

test('detach keys are found across chunks, and a false start is passed on', () => {
  assert.deepEqual([...parseKeys('')], [16, 17]);
  assert.throws(() => parseKeys('ctrl-'), /unknown character/);
  const filter = detachFilter(parseKeys('ctrl-p,ctrl-q'));
  assert.deepEqual(filter(Buffer.from([97, 16])), { pass: Buffer.from([97]), detach: false });
  assert.deepEqual(filter(Buffer.from([98])), { pass: Buffer.from([16, 98]), detach: false });
  assert.deepEqual(filter(Buffer.from([16, 17, 99])), { pass: Buffer.from([]), detach: true });
});

test('a deferred stream passes what was written before its source came, and its half-close', async () => {
  const stream = new DeferredStream();
  const output = text(stream);
  stream.write('early ');
  stream.end('late');
  const source = new PassThrough();
  stream.connect(source);
  assert.equal(await output, 'early late');
});

test('a deferred stream holds its end back until the result is known', async () => {
  const stream = new DeferredStream();
  const source = new PassThrough();
  const result = Promise.withResolvers<undefined>();
  stream.connect(source, result.promise);
  let hasEnded = false;
  stream.once('end', () => {
    hasEnded = true;
  });
  stream.resume();
  source.end();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(hasEnded, false);
  result.resolve(undefined);
  await once(stream, 'end');
});

test('an abandoned stream ends', async () => {
  const stream = new DeferredStream();
  stream.abandon();
  assert.equal(await text(stream), '');
});
