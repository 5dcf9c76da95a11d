/** Checks how the helper's answers and failures arrive, with a shell in the helper's place, and where lost control groups are looked for. */

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { cgroupDirs } from './cgroups.ts';
import { createNative } from './native.ts';
import { isAlive, parseStat } from './shim.ts';
import type { Native } from './types.ts';

function helper(context: TestContext, script: string): Native {
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-native-'));
  context.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'helper');
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return createNative(path);
}

test('a request goes to standard input and the answer comes back as JSON', async (context) => {
  assert.deepEqual(await helper(context, 'cat').call(['x'], { a: 1 }), { a: 1 });
});

test('with data the request travels as an argument', async (context) => {
  const native = helper(context, 'printf \'{"data":"%s","request":%s}\' "$(cat)" "$3"');
  const answer = await native.call(['x'], { a: 1 }, { input: Readable.from(['bytes']) });
  assert.deepEqual(answer, { data: 'bytes', request: { a: 1 } });
});

test("the helper's error keeps its kind, errno and path", async (context) => {
  const line =
    '{"error":{"kind":"not-found","message":"no such file","errno":"ENOENT","path":"/x"}}';
  const failing = helper(context, `echo '${line}' >&2; exit 1`).call(['x'], {});
  await assert.rejects(failing, {
    kind: 'not-found',
    errno: 'ENOENT',
    path: '/x',
    message: 'no such file: /x (ENOENT)',
  });
});

test('a helper that dies without a word is an internal error naming the verb', async (context) => {
  await assert.rejects(
    helper(context, 'kill -9 $$').call(['layer', 'diff'], {}),
    /verb layer diff ended with SIGKILL/,
  );
  await assert.rejects(createNative('/nonexistent/helper').call(['x'], {}), {
    kind: 'unavailable',
  });
});

test('an abort ends the helper and is told as cancelled', { timeout: 5000 }, async (context) => {
  const stop = new AbortController();
  const call = helper(context, 'exec sleep 100').call(['x'], {}, { signal: stop.signal });
  stop.abort();
  await assert.rejects(call, { kind: 'cancelled' });
});

test('a stream ends well only when the helper did', async (context) => {
  const good = helper(context, 'cat >/dev/null; printf data; echo "{\\"n\\":1}" >&3').stream(
    ['x'],
    {},
  );
  assert.equal(await text(good.output), 'data');
  assert.deepEqual(await good.done, { n: 1 });
  const bad = helper(
    context,
    'printf data; echo \'{"error":{"kind":"invalid","message":"m"}}\' >&2; exit 1',
  ).stream(['x'], {});
  await assert.rejects(text(bad.output), { kind: 'invalid' });
});

test(
  'an input that breaks off ends the helper with its own error',
  { timeout: 5000 },
  async (context) => {
    const input = new Readable({ read: () => undefined });
    const call = helper(context, 'exec cat').call(['x'], {}, { input });
    input.destroy(new Error('broken upload'));
    await assert.rejects(call, /broken upload/);
  },
);

test('a process is known by pid and start time together', async () => {
  assert.deepEqual(
    parseStat(`7 (a) b) S ${Array.from({ length: 18 }, () => '0').join(' ')} 42 0`),
    { state: 'S', startTime: 42 },
  );
  assert.equal(await isAlive(process.pid, -1), false);
});

test('lost control groups are looked for below the root and below the own group', () => {
  const base = { controllers: ['pids', 'cpu'], root: '/cg', delegated: true };
  assert.deepEqual(cgroupDirs({ ...base, version: 2 }, '1:pids:/x\n0::/user\n', 'p/i'), [
    '/cg/p/i',
    '/cg/user/p/i',
  ]);
  const v1 = cgroupDirs({ ...base, version: 1 }, '3:pids:/a\n2:name=systemd:/\n0::/\n', 'p/i');
  assert.deepEqual(v1, ['/cg/pids/p/i', '/cg/pids/a/p/i']);
});
