// What hostile or broken clients of the shim's socket may do: get one error line or be cut off, and nothing
// else. The container and other clients must not notice; the shim must stay small.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { end } from '../support/children.ts';
import { lives, processesWith } from '../support/traces.ts';
import { Connection, Rig, textOf, until, type Shim } from './shim-rig.ts';

function pss(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+) kB/mu.exec(text)?.[1]);
}

describe('the shim against hostile clients', () => {
  let rig: Rig;
  let shim: Shim;
  before(async () => {
    rig = new Rig('system');
    shim = await rig.started({ args: ['sleep', '1000'], openStdin: true, log: {} });
  });
  after(async () => {
    await rig.dispose();
  });

  const raw = (data: string | Buffer): Connection => {
    const connection = new Connection(join(shim.dir, 'shim.sock'));
    connection.socket.write(data);
    return connection;
  };
  const alive = async (): Promise<void> => {
    assert.equal((await shim.ask({ op: 'state' }))['status'], 'running');
  };

  it('answers garbage with one error line', async () => {
    const garbage = [
      '\n',
      'x\n',
      '{}\n',
      '{"op":"fly"}\n',
      '[1,2]\n',
      '\0\xff\n',
      `${'['.repeat(100_000)}\n`,
    ];
    for (const text of garbage) {
      const connection = raw(text);
      const error = (await connection.line())['error'] as Record<string, unknown>;
      assert.equal(error['kind'], 'invalid');
      assert.equal((await connection.rest()).length, 0);
    }
    await alive();
  });

  it('cuts off a request line that is longer than 1 MiB', async () => {
    const connection = raw(Buffer.alloc(3 << 20, 'a'));
    const error = (await connection.line())['error'] as Record<string, unknown>;
    assert.match(String(error['message']), /1 MiB/u);
    await connection.rest();
    await alive();
  });

  it('answers a request that ends before its line does', async () => {
    const connection = new Connection(join(shim.dir, 'shim.sock'));
    connection.socket.end('{"op":"sta');
    assert.equal(
      ((await connection.line())['error'] as Record<string, unknown>)['kind'],
      'invalid',
    );
    await connection.rest();
  });

  it('takes a request that comes byte by byte', async () => {
    const connection = new Connection(join(shim.dir, 'shim.sock'));
    for (const byte of '{"op":"state"}\n') {
      connection.socket.write(byte);
      await sleep(1);
    }
    assert.equal((await connection.line())['ok'], true);
    connection.socket.destroy();
  });

  it('serves others while hundreds of connections say nothing', async () => {
    const silent = Array.from({ length: 500 }, () => new Connection(join(shim.dir, 'shim.sock')));
    await sleep(50);
    const begin = Date.now();
    await alive();
    assert.ok(Date.now() - begin < 10_000);
    for (const connection of silent) connection.socket.destroy();
    await alive();
  });

  it('survives clients that vanish at every moment', async () => {
    const requests = [
      '{"op":"attach","stdin":true,"stdout":true,"stderr":true}\n',
      '{"op":"wait"}\n',
      '{"op":"sta',
    ];
    for (let round = 0; round < 100; round += 1) {
      const connection = raw(requests[round % requests.length] ?? '');
      if (round % 2 === 0) await sleep(1);
      connection.socket.destroy();
    }
    await alive();
  });

  it('survives an exec whose client vanishes while it floods', async () => {
    const connection = shim.exec('flood', ['sh', '-c', 'yes | head -c 20000000; exit 4']);
    await connection.line();
    connection.socket.pause();
    await sleep(30);
    connection.socket.destroy();
    assert.equal((await shim.ask({ op: 'wait', exec: 'flood' }))['exitCode'], 4);
  });

  it('drops input beyond what the container reads, without growing', async () => {
    const client = await shim.attach({ stdin: true });
    client.socket.write(Buffer.alloc(30 << 20, 'z'));
    await sleep(300);
    assert.ok(client.socket.writableLength > 20 << 20, 'the shim swallowed it all');
    await alive();
    client.socket.destroy();
  });

  it('refuses impossible arguments', async () => {
    const wrong = [
      { op: 'kill', signal: -1 },
      { op: 'kill', signal: 0 },
      { op: 'kill', signal: 65 },
      { op: 'resize', height: 70_000, width: 1 },
      { op: 'exec', id: '', process: { args: ['true'], cwd: '/' } },
      { op: 'exec', id: 'a'.repeat(300), process: { args: ['true'], cwd: '/' } },
      { op: 'update', resources: { memory: { limit: 'much' } } },
    ];
    for (const operation of wrong) {
      const error = (await shim.ask(operation))['error'] as Record<string, unknown>;
      assert.equal(error['kind'], 'invalid', JSON.stringify(operation));
    }
    await alive();
  });

  it('runs an exec beside all that, and is small again when it is quiet', async () => {
    const connection = shim.exec('last', ['echo', 'still here']);
    await connection.line();
    assert.equal(textOf(await connection.rest(), 1), 'still here\n');
    await until(() => pss(shim.shimPid) <= 1536, 'at most 1.5 MB PSS');
  });
});

describe('a caller that dies while the container is made', () => {
  it('leaves a whole container or nothing at all', async () => {
    const rig = new Rig('system');
    try {
      const outcomes = { whole: 0, nothing: 0 };
      for (let round = 0; round < 24; round += 1) {
        const dir = rig.directory();
        const request = JSON.stringify(rig.request(dir, { args: ['sleep', '1000'], log: {} }));
        const caller = spawn(join(rig.root, 'pn'), ['shim'], {
          stdio: ['pipe', 'ignore', 'ignore'],
        });
        caller.stdin.on('error', () => undefined);
        caller.stdin.end(request);
        await sleep(round / 4);
        await end(caller);
        let answer: unknown;
        // Either it answers some time, or nothing of it lives any more.
        while (answer === undefined && processesWith(join(rig.root, 'pn')).some(lives)) {
          const stopper = new Connection(join(dir, 'shim.sock'));
          stopper.socket.write('{"op":"stop-created"}\n');
          answer = await stopper.line().catch(() => undefined);
          stopper.socket.destroy();
          await sleep(5);
        }
        if (answer !== undefined) assert.deepEqual(answer, { ok: true });
        await until(() => readdirSync(dir).length === 0, 'an empty directory');
        outcomes[answer === undefined ? 'nothing' : 'whole'] += 1;
      }
      assert.equal(outcomes.whole + outcomes.nothing, 24);
    } finally {
      await rig.dispose();
    }
  });
});

describe('a full disk under the log', () => {
  it('loses lines, not the container, and keeps the log readable', async () => {
    const rig = new Rig('system');
    try {
      const shim = rig.create({
        args: ['sh', '-c', 'yes | head -c 400000; echo end >&2'],
        log: {},
      });
      await shim.ask({ op: 'stop-created' });
      const dir = rig.directory();
      const request = rig.request(dir, {
        args: ['sh', '-c', 'yes | head -c 400000; exit 6'],
        log: {},
      });
      (request['log'] as Record<string, unknown>)['path'] = '/dev/full';
      const result = rig.run(JSON.stringify(request));
      assert.equal(result.status, 0, result.stderr);
      const socket = join(dir, 'shim.sock');
      const waiter = new Connection(socket);
      waiter.socket.write('{"op":"wait"}\n');
      const starter = new Connection(socket);
      starter.socket.write('{"op":"start"}\n');
      assert.deepEqual(await starter.line(), { ok: true });
      assert.equal((await waiter.line())['exitCode'], 6);
      starter.socket.destroy();
      waiter.socket.destroy();
    } finally {
      await rig.dispose();
    }
  });
});
