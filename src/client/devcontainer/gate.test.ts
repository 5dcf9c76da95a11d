/** Tests of the loopback door: what leads to the server, what to other ports, and who may. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { openGate, type Gate } from './gate.ts';

const INNER = 8000;
const APP = 3000;
const BASE = '/0123456789ab';
const COOKIE = 'vscode-tkn=secret; theme=dark';

let gate: Gate;
const dialled: number[] = [];
let open = 0;

/** Stands for the container: answers with the port that was dialled and what it was asked. */
const inside = createServer((asked, answer) => {
  answer.setHeader('X-Cookie', asked.headers.cookie ?? '');
  void text(asked).then((body) => {
    answer.writeHead(asked.url === '/teapot' ? 418 : 200, { 'Set-Cookie': ['a=1', 'b=2'] });
    answer.end(`${asked.method ?? ''} ${asked.url ?? ''} ${body}`);
  });
});
inside.on('upgrade', (asked: IncomingMessage, socket, head) => {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n`);
  socket.write(`${asked.url ?? ''} ${asked.headers.cookie ?? ''};`);
  socket.write(head);
  socket.pipe(socket);
});

before(async () => {
  inside.listen(0, '127.0.0.1');
  await once(inside, 'listening');
  gate = await openGate({
    dial: async (port) => {
      if (port !== INNER && port !== APP) throw new Error(`nothing listens on ${port}`);
      dialled.push(port);
      const socket = connect((inside.address() as AddressInfo).port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
    inner: INNER,
    token: 'secret',
    onChange: (now) => (open = now),
  });
});

after(() => {
  gate.close();
  inside.closeAllConnections();
  inside.close();
});

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

async function ask(path: string, cookie = '', method = 'GET', body = ''): Promise<Answer> {
  const headers = cookie === '' ? {} : { Cookie: cookie };
  const asked = request({ port: gate.port, host: '127.0.0.1', path, method, headers });
  asked.end(body);
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

test('pages and their bodies go to the server as they are, over connections that are kept', async () => {
  dialled.length = 0;
  const first = await ask(`${BASE}/?folder=%2Fa`, COOKIE, 'POST', 'body');
  assert.equal(first.body, `POST ${BASE}/?folder=%2Fa body`);
  assert.deepEqual(first.headers['set-cookie'], ['a=1', 'b=2']);
  assert.equal(first.headers['x-cookie'], COOKIE);
  const pot = await ask('/teapot');
  assert.equal(pot.status, 418, pot.body);
  assert.deepEqual(dialled, [INNER]);
});

test('other ports are open to who has the token, and are not told it', async () => {
  const answer = await ask(`${BASE}/proxy/${APP}/a/b?c=d`, COOKIE);
  assert.equal(answer.body, 'GET /a/b?c=d ');
  assert.equal(answer.headers['x-cookie'], 'theme=dark');
  for (const cookie of ['', 'vscode-tkn=other', 'x=vscode-tkn=secret'])
    assert.equal((await ask(`${BASE}/proxy/${APP}/`, cookie)).status, 403, cookie);
  assert.equal((await ask(`${BASE}/proxy/${INNER}/`, COOKIE)).status, 403);
  const moved = await ask(`${BASE}/proxy/${APP}?a`, COOKIE);
  assert.deepEqual([moved.status, moved.headers.location], [301, `${APP}/?a`]);
});

test('a port on which nothing listens is a clear answer', async () => {
  const answer = await ask(`${BASE}/proxy/3001/`, COOKIE);
  assert.deepEqual([answer.status, answer.body], [502, 'nothing listens on 3001\n']);
});

test('upgraded connections go both ways, to the server and to other ports', async () => {
  for (const [path, shown] of [
    [`${BASE}/x?reconnection=1`, `${BASE}/x?reconnection=1 ${COOKIE};`],
    [`${BASE}/proxy/${APP}/socket`, '/socket theme=dark;'],
  ] as const) {
    const socket = connect(gate.port, '127.0.0.1');
    const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n`;
    socket.write(`${head}Cookie: ${COOKIE}\r\n\r\nearly`);
    let all = '';
    for await (const chunk of socket) {
      all += String(chunk);
      if (all.endsWith('early')) socket.end('late');
      if (all.endsWith('earlylate')) break;
    }
    assert.match(all, /^HTTP\/1\.1 101 /);
    assert.ok(all.endsWith(`${shown}earlylate`), all);
    socket.destroy();
  }
  const socket = connect(gate.port, '127.0.0.1');
  socket.write(`GET ${BASE}/proxy/${APP}/ HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: a\r\n\r\n`);
  assert.match(await text(socket), /^HTTP\/1\.1 (?:400|403) /);
});

test('open connections are counted', async () => {
  const socket = connect(gate.port, '127.0.0.1');
  await once(socket, 'connect');
  await ask('/');
  assert.ok(open > 0);
  socket.destroy();
});
