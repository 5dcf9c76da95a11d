/** The life of an engine's process: one to a data root, on demand, back after a kill, gone when idle. Real processes on roots of their own. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { createClient } from '../../src/client/api/client.ts';
import type { Client } from '../../src/client/api/client.ts';
import { startEngine, startTime } from '../../src/client/engine/start.ts';
import type { StartedEngine, StartOptions } from '../../src/client/engine/start.ts';
import { engineStatus } from '../../src/client/engine/status.ts';
import { stopEngine } from '../../src/client/engine/stop.ts';
import type { EngineError } from '../../src/lib/errors.ts';

let base: string;
let roots: { dataRoot: string; runRoot: string };

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'pinnace-life-'));
  roots = { dataRoot: join(base, 'data'), runRoot: join(base, 'run') };
});

afterEach(async () => {
  await stopEngine(roots);
  const left = engineProcesses();
  rmSync(base, { recursive: true });
  assert.deepEqual(left, [], 'processes are left');
});

const start = (more: StartOptions = {}): Promise<StartedEngine> =>
  startEngine({ ...roots, ...more });

/** Living processes that name this test's folder. */
function engineProcesses(): string[] {
  return globSync('/proc/[0-9]*/cmdline').filter((path) => {
    try {
      return readFileSync(path, 'utf8').includes(base);
    } catch {
      return false;
    }
  });
}

async function withClient<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient({ socketPath: join(roots.runRoot, 'engine.sock') });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

async function waitUntil(what: string, condition: () => boolean): Promise<void> {
  for (let at = 0; at < 6000 && !condition(); at += 1) await delay(10);
  assert.ok(condition(), what);
}

test('many starters at once get one engine', async () => {
  const engines = await Promise.all(Array.from({ length: 6 }, () => start()));
  assert.equal(new Set(engines.map(({ pid }) => pid)).size, 1);
  assert.equal(engines.filter(({ started }) => started).length, 1);
  const again = await start();
  assert.equal(again.started, false);
  assert.equal(again.pid, engines[0]?.pid);
});

test('only the user may reach the socket', async () => {
  const { socket } = await start();
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  assert.equal(statSync(roots.runRoot).mode & 0o777, 0o700);
  assert.equal(statSync(roots.dataRoot).mode & 0o777, 0o700);
});

test('a stopped engine is gone with its socket, and one started in the same moment serves', async () => {
  const first = await start();
  assert.equal(await stopEngine(roots), true);
  assert.equal(startTime(first.pid), undefined);
  assert.equal(await engineStatus(roots), undefined);
  assert.equal(await stopEngine(roots), false);
  const second = await start();
  process.kill(second.pid, 'SIGTERM');
  await waitUntil('the socket is gone', () => !existsSync(second.socket));
  const third = await start();
  await withClient((client) => client.system.ping());
  assert.equal(startTime(second.pid), undefined, 'two engines at once');
  assert.ok(third.started);
});

test('what was acknowledged survives kill -9, and the next start serves again', async () => {
  const first = await start();
  await withClient((client) => client.volumes.create({ Name: 'kept', Labels: { a: 'b' } }));
  process.kill(first.pid, 'SIGKILL');
  await waitUntil('the engine is dead', () => startTime(first.pid) === undefined);
  const second = await start();
  assert.notEqual(second.pid, first.pid);
  const volume = await withClient((client) => client.volumes.inspect('kept'));
  assert.deepEqual(volume.Labels, { a: 'b' });
});

test('an engine that nobody uses ends by itself; a connection keeps it', async () => {
  const { pid, socket } = await start({ idleExit: 1 });
  const connection = connect(socket);
  await once(connection, 'connect');
  await delay(1800);
  assert.ok(startTime(pid) !== undefined, 'it ended while somebody was connected');
  connection.destroy();
  await waitUntil('the idle engine ended', () => startTime(pid) === undefined);
  assert.match(
    readFileSync(join(roots.dataRoot, 'engine.log'), 'utf8'),
    /the engine ends: nothing ran and nobody was connected for 1 s/,
  );
});

test('a data root that another engine serves is refused with the way out', async () => {
  const first = await start();
  await assert.rejects(
    startEngine({ ...roots, runRoot: join(base, 'other') }),
    (error: EngineError) => {
      assert.equal(error.kind, 'unavailable');
      assert.match(
        error.message,
        new RegExp(`served by engine ${first.pid} at unix://.*use its run root`),
      );
      return true;
    },
  );
});

test('an engine that cannot come up says why at once', async () => {
  mkdirSync(join(roots.dataRoot, 'state.db'), { recursive: true, mode: 0o700 });
  const begun = performance.now();
  await assert.rejects(
    start(),
    /the engine did not start \(status 1\):[^]*the database .*state\.db cannot be opened/,
  );
  assert.ok(performance.now() - begun < 20_000);
});

test('a second engine in the foreground is refused', async () => {
  await start();
  await assert.rejects(start({ foreground: true }), /an engine serves unix:\/\/.* already/);
});

test('an idle engine is small, and ends an events stream when it stops', async () => {
  const { pid } = await start();
  const resident =
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1000;
  // Run from source the engine also holds Node's TypeScript stripper; the bundle is measured by the benchmarks.
  assert.ok(resident < 130, `${resident} MB`);
  await withClient(async (client) => {
    const ended = (async () => {
      for await (const event of client.system.events()) assert.fail(JSON.stringify(event));
    })().catch(() => undefined);
    await delay(50);
    assert.equal(await stopEngine(roots), true);
    await ended;
  });
});
