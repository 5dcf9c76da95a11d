// What broken or hostile clients of the supervisor's socket may do: get one error line or be cut off, and
// nothing else. Other clients must not notice; the supervisor must stay small. Streams into containers.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NetRig, type Box, type NetMode } from './net-rig.ts';
import { until, type Connection, type Json } from './shim-rig.ts';

const network = {
  op: 'network',
  id: 'one',
  bridge: 'br-one',
  subnets: [{ cidr: '172.30.0.0/16', gateway: '172.30.0.1' }],
};

/** Memory of its own, in kB; the program's pages are the file's. */
function anonymous(pid: number): number {
  const text = readFileSync(`/proc/${String(pid)}/smaps_rollup`, 'utf8');
  return Number(/^Pss_Anon:\s+(\d+) kB/mu.exec(text)?.[1]);
}

function ticks(pid: number): number {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

describe("the supervisor's socket against hostile clients", () => {
  let rig: NetRig;
  before(async () => {
    rig = new NetRig('system');
    await rig.begin();
    await rig.must(network);
  });
  after(async () => {
    await rig.dispose();
  });

  const raw = (data: string | Buffer): Connection => {
    const connection = rig.connect();
    connection.socket.write(data);
    return connection;
  };
  const kindOf = (answer: Json): unknown => (answer['error'] as Json)['kind'];
  const alive = async (): Promise<void> => {
    assert.equal((await rig.networks()).length, 1);
  };

  it('answers garbage with an error line each and goes on', async () => {
    const garbage = [
      '\n',
      'x\n',
      '{}\n',
      '{"op":"fly"}\n',
      '[1,2]\n',
      '\0\xff\n',
      `${'['.repeat(100_000)}\n`,
    ];
    const connection = raw(garbage.join(''));
    for (const text of garbage) {
      assert.equal(kindOf(await connection.line()), 'invalid', text.slice(0, 20));
    }
    connection.socket.write('{"op":"state"}\n');
    assert.equal((await connection.line())['ok'], true);
    connection.socket.destroy();
    await alive();
  });

  it('cuts off a line that is longer than 16 MiB', async () => {
    const connection = raw(Buffer.alloc(20 << 20, 'a'));
    const error = (await connection.line())['error'] as Json;
    assert.match(String(error['message']), /16 MiB/u);
    await connection.rest();
    await alive();
  });

  it('answers a request that ends before its line does', async () => {
    const connection = rig.connect();
    connection.socket.end('{"op":"sta');
    assert.equal(kindOf(await connection.line()), 'invalid');
    await connection.rest();
  });

  it('takes requests byte by byte, and many in one piece', async () => {
    const connection = rig.connect();
    for (const byte of '{"op":"state"}\n') {
      connection.socket.write(byte);
      await sleep(1);
    }
    assert.equal((await connection.line())['ok'], true);
    connection.socket.write('{"op":"state"}\n{"op":"detach","endpoint":"x"}\n'.repeat(100));
    for (let index = 0; index < 200; index += 1) {
      assert.equal((await connection.line())['ok'], true);
    }
    connection.socket.destroy();
  });

  it('answers in order, also when one answer has to wait', async () => {
    const other = { ...network, id: 'two', bridge: 'br-two', subnets: [] };
    const requests = [other, { op: 'names', network: 'two', names: {} }];
    const last = [
      { op: 'remove-network', id: 'two' },
      { op: 'names', network: 'two', names: {} },
    ];
    const connection = raw(
      [...requests, ...last].map((one) => `${JSON.stringify(one)}\n`).join(''),
    );
    const answers: Json[] = [];
    for (let index = 0; index < 4; index += 1) answers.push(await connection.line());
    assert.deepEqual(
      answers.map((answer) => answer['ok'] ?? kindOf(answer)),
      [true, true, true, 'not-found'],
    );
    connection.socket.destroy();
  });

  it('serves others while clients are slow, silent, or leave in the middle', async () => {
    const silent = Array.from({ length: 50 }, () => rig.connect());
    const half = Array.from({ length: 50 }, () => raw('{"op":"st'));
    const deaf = Array.from({ length: 5 }, () => raw('{"op":"state"}\n'.repeat(20_000)));
    for (const connection of deaf) connection.socket.pause();
    const leaving = Array.from({ length: 200 }, () => raw('{"op":"state"}\n'));
    for (const connection of leaving) connection.socket.destroy();
    await alive();
    for (const connection of [...silent, ...half, ...deaf]) connection.socket.destroy();
    await alive();
  });

  it('serves four hundred connections at once', async () => {
    const connections = Array.from({ length: 400 }, () => raw('{"op":"state"}\n'));
    for (const connection of connections) assert.equal((await connection.line())['ok'], true);
    for (const connection of connections) connection.socket.destroy();
  });

  it('cuts off a line that is late', async () => {
    const connection = raw('{"op":');
    const error = (await connection.line(15_000))['error'] as Json;
    assert.match(String(error['message']), /10 s/u);
    await connection.rest();
  });

  it('is small and asleep afterwards', async () => {
    const keeper = rig.connect();
    await sleep(2500);
    const before = ticks(rig.supervisor);
    await sleep(1000);
    assert.equal(ticks(rig.supervisor), before, 'it uses the processor while nothing happens');
    assert.ok(anonymous(rig.supervisor) <= 1024, `${String(anonymous(rig.supervisor))} kB`);
    keeper.socket.destroy();
  });
});

/** A server inside that sends back what it got when its client is done. */
const echo = `
import socket, threading
server = socket.create_server(('127.0.0.1', 7000), backlog=512)
def serve(client):
    data = b''
    while piece := client.recv(65536):
        data += piece
    client.sendall(b'got ' + data)
    client.close()
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
`;

const modes: readonly NetMode[] = ['system', 'single-id'];
for (const mode of modes) {
  describe(`streams into a container in ${mode} mode`, () => {
    let rig: NetRig;
    let box: Box;
    before(async () => {
      rig = new NetRig(mode);
      await rig.begin();
      box = await rig.box();
      box.run('ip', 'link', 'set', 'lo', 'up');
      box.start('python3', '-c', echo);
      await until(() => box.run('ss', '-Hltn').includes(':7000'), 'the server');
    });
    after(async () => {
      await rig.dispose();
    });

    const dial = (more: object = {}): Connection => {
      const connection = rig.connect();
      const request = { op: 'dial', pid: box.pid, startTime: box.startTime, port: 7000, ...more };
      connection.socket.write(`${JSON.stringify(request)}\n`);
      return connection;
    };

    it('carries bytes both ways with half-close', async () => {
      const connection = dial({ addresses: ['::1', '127.0.0.1'] });
      assert.deepEqual(await connection.line(), { ok: true });
      connection.socket.end('hello');
      assert.equal((await connection.rest()).toString(), 'got hello');
    });

    it('carries what was sent right behind the request, and megabytes', async () => {
      const connection = dial();
      const data = Buffer.alloc(8_000_000, 'x');
      connection.socket.end(data);
      assert.deepEqual(await connection.line(), { ok: true });
      assert.equal((await connection.rest()).length, data.length + 4);
    });

    it('serves three hundred at once', async () => {
      const connections = Array.from({ length: 300 }, () => dial());
      for (const connection of connections) assert.deepEqual(await connection.line(), { ok: true });
      for (const [index, connection] of connections.entries()) connection.socket.end(`n${index}`);
      for (const [index, connection] of connections.entries()) {
        assert.equal((await connection.rest()).toString(), `got n${index}`);
      }
    });

    it('says when nothing listens, and when the process is not the one meant', async () => {
      const refused = (await dial({ port: 7001 }).line())['error'] as Json;
      assert.equal(refused['kind'], 'unavailable');
      assert.equal(refused['errno'], 'ECONNREFUSED');
      assert.match(String(refused['message']), /7001/u);
      const wrong = (await dial({ startTime: 1 }).line())['error'] as Json;
      assert.equal(wrong['kind'], 'not-found');
      assert.equal(((await dial({ port: 0 }).line())['error'] as Json)['kind'], 'invalid');
    });

    it('goes on after an error on the same connection', async () => {
      const connection = dial({ startTime: 1 });
      await connection.line();
      connection.socket.write('{"op":"state"}\n');
      assert.equal((await connection.line())['ok'], true);
      connection.socket.destroy();
    });

    it('ends the stream with the client, without a thread left', async () => {
      const threads = (): number => {
        const status = readFileSync(`/proc/${String(rig.supervisor)}/status`, 'utf8');
        return Number(/^Threads:\s+(\d+)/mu.exec(status)?.[1]);
      };
      await until(() => threads() === 2, 'two threads');
      const connections = Array.from({ length: 20 }, () => dial());
      for (const connection of connections) await connection.line();
      assert.ok(threads() >= 20);
      for (const connection of connections) connection.socket.destroy();
      await until(() => threads() === 2, 'two threads again');
    });
  });
}
