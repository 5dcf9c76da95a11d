/** Checks the conversation with the networks' supervisor against a server of the same protocol: order, errors, lanes, streams, and an end in between. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { once } from 'node:events';
import { createNetSupervisor } from './net.ts';
import type { Native } from './types.ts';

let dir: string;
let server: Server | undefined;
let sockets: Socket[];
let starts: number;
/** The user namespace that the server says to be in. */
let namespace: number;
let hellos: number;
/** What the server does with a request: the line to send, or undefined for none. */
let answer: (request: Record<string, unknown>, socket: Socket) => string | undefined;

const own = statSync('/proc/self/ns/user').ino;

beforeEach(() => {
  dir = mkdtempSync('/tmp/pinnace-net-');
  sockets = [];
  starts = 0;
  namespace = own;
  hellos = 0;
  answer = (request) => JSON.stringify({ ok: true, echo: request['n'] });
});

afterEach(() => {
  stopServer();
  rmSync(dir, { recursive: true, force: true });
});

function stopServer(): void {
  for (const socket of sockets) socket.destroy();
  server?.close();
  server = undefined;
}

function serve(): Promise<void> {
  mkdirSync(join(dir, 'net'), { recursive: true });
  rmSync(join(dir, 'net', 'net.sock'), { force: true });
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let rest = '';
    const onData = (chunk: Buffer): void => {
      const lines = `${rest}${chunk.toString()}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const request = JSON.parse(line) as Record<string, unknown>;
        const isHello = request['op'] === 'hello';
        if (isHello) hellos += 1;
        const text = isHello
          ? JSON.stringify({ ok: true, userNamespace: namespace })
          : answer(request, socket);
        if (request['op'] === 'dial') socket.off('data', onData);
        if (text !== undefined) socket.write(`${text}\n`);
      }
    };
    socket.on('data', onData);
  });
  server.listen(join(dir, 'net', 'net.sock'));
  return once(server, 'listening').then(() => undefined);
}

const native: Native = {
  path: 'none',
  call: async <T>(verb: readonly string[]) => {
    assert.deepEqual(verb, ['net']);
    starts += 1;
    server?.close();
    await serve();
    return {} as T;
  },
  stream: () => assert.fail('no streams here'),
};

function supervisor(): ReturnType<typeof createNetSupervisor> {
  return createNetSupervisor({ native, dir: join(dir, 'net') });
}

test('the supervisor is started by the first who needs it, and found by the others', async () => {
  const first = supervisor();
  const [one, two] = await Promise.all([first.link('work'), first.link('work')]);
  assert.equal(one, two);
  assert.notEqual(await first.link('removals'), one);
  await supervisor().link('work');
  assert.equal(starts, 1);
});

test('requests go out at once and their answers come in order', async () => {
  const waiting: string[] = [];
  answer = (request, socket) => {
    waiting.push(JSON.stringify({ ok: true, echo: request['n'] }));
    if (waiting.length === 3) socket.write(`${waiting.join('\n')}\n`);
    return undefined;
  };
  const link = await supervisor().link('work');
  const answers = await Promise.all([1, 2, 3].map((n) => link.send({ op: 'x', n })));
  assert.deepEqual(
    answers.map((one) => one['echo']),
    [1, 2, 3],
  );
});

test('an error is of its request alone, with its kind and errno', async () => {
  answer = (request) =>
    request['n'] === 1
      ? '{"error":{"kind":"conflict","message":"taken","errno":"EADDRINUSE","path":null}}'
      : '{"ok":true}';
  const link = await supervisor().link('work');
  const bad = assert.rejects(link.send({ op: 'x', n: 1 }), {
    kind: 'conflict',
    errno: 'EADDRINUSE',
  });
  const good = link.send({ op: 'x', n: 2 });
  assert.deepEqual(await good, { ok: true });
  await bad;
});

test('when the supervisor ends, what was open fails, the owner hears of it, and the next link is a new one', async () => {
  answer = () => undefined;
  const net = supervisor();
  let lost = 0;
  net.onLost(() => (lost += 1));
  const link = await net.link('work');
  const open = link.send({ op: 'x' });
  stopServer();
  await assert.rejects(open, { kind: 'unavailable' });
  await assert.rejects(link.send({ op: 'y' }), { kind: 'unavailable' });
  assert.equal(lost, 1);
  assert.equal(link.isOpen, false);
  await net.link('work');
  assert.equal(starts, 2);
});

test('a supervisor of another user namespace is not used, and the helper replaces it', async () => {
  namespace = own + 1;
  await serve();
  const near: Native = {
    ...native,
    call: async <T>(verb: readonly string[], request: object) => {
      namespace = own;
      return native.call<T>(verb, request);
    },
  };
  const net = createNetSupervisor({ native: near, dir: join(dir, 'net') });
  const link = await net.link('work');
  assert.equal((await link.send({ op: 'x', n: 5 }))['echo'], 5);
  assert.deepEqual([starts, hellos], [1, 2]);
});

test('supervisors that are all of another user namespace are given up', async () => {
  namespace = own + 1;
  await assert.rejects(supervisor().link('work'), /does not answer/);
  await assert.rejects(supervisor().dial({ op: 'dial' }), { kind: 'unavailable' });
});

test('a link that was let go is no loss', async () => {
  const net = supervisor();
  net.onLost(() => assert.fail('nothing was lost'));
  const link = await net.link('work');
  net.release();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(link.isOpen, false);
});

test('a supervisor that does not answer is given up, and the next request finds another', async (context) => {
  answer = () => undefined;
  const net = supervisor();
  const link = await net.link('work');
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const open = assert.rejects(link.send({ op: 'x' }), { kind: 'unavailable' });
  context.mock.timers.tick(20_000);
  await open;
  context.mock.timers.reset();
  assert.equal(link.isOpen, false);
  assert.notEqual(await net.link('work'), link);
});

test('an answer that is no JSON is an error, and what follows is still read', async () => {
  answer = (request) => (request['n'] === 1 ? 'nonsense' : '{"ok":true}');
  const link = await supervisor().link('work');
  const [bad, good] = await Promise.allSettled([1, 2].map((n) => link.send({ op: 'x', n })));
  assert.deepEqual([bad?.status, good?.status], ['rejected', 'fulfilled']);
});

test('a dialled connection is the stream from its first byte, and each side ends by itself', async () => {
  answer = (_request, socket) => {
    socket.once('end', () => socket.end(' and bye'));
    socket.resume();
    return '{"ok":true}\nhello';
  };
  const stream = await supervisor().dial({ op: 'dial', port: 80 });
  stream.end();
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  assert.equal(text, 'hello\n and bye');
});

test('a port where nobody listens is the dialler’s error', async () => {
  answer = () => '{"error":{"kind":"unavailable","message":"refused","errno":"ECONNREFUSED"}}';
  await assert.rejects(supervisor().dial({ op: 'dial', port: 80 }), { errno: 'ECONNREFUSED' });
});

test('a run directory too deep for sockets is refused with the way out', async () => {
  const deep = createNetSupervisor({ native, dir: `/tmp/${'x'.repeat(120)}` });
  await assert.rejects(deep.link('work'), /--run-root/);
});
