/** The protocol of the API server, on services with known answers: versions, routes, errors, streams and what hostile clients send. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { createClient } from '../../src/client/api/client.ts';
import type { Client } from '../../src/client/api/client.ts';
import { createHandlers } from '../../src/engine/api/handlers.ts';
import { createApiServer } from '../../src/engine/api/server.ts';
import { EngineError } from '../../src/lib/errors.ts';
import { frameHeader } from '../../src/lib/api/stdcopy.ts';
import { fakeServices } from '../support/fake-services.ts';
import type { Fakes } from '../support/fake-services.ts';

let dir: string;
let path: string;
let server: Server;
let fakes: Fakes;
let client: Client;
let problems: string[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pinnace-api-'));
  path = join(dir, 's');
  fakes = fakeServices();
  problems = [];
  server = createApiServer({
    handlers: createHandlers(fakes.services),
    version: '0',
    onError: (text) => problems.push(text),
  });
  server.listen(path);
  await once(server, 'listening');
  client = createClient({ socketPath: path });
});

afterEach(async () => {
  client.close();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  rmSync(dir, { recursive: true });
});

/** What the server sends back to these bytes until it closes or `until` is found. */
async function raw(text: string, until?: string): Promise<string> {
  const socket = connect(path);
  socket.write(text);
  return collect(socket, until);
}

async function collect(socket: Socket, until?: string): Promise<string> {
  let got = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    got += chunk.toString('latin1');
    if (until !== undefined && got.includes(until)) break;
  }
  socket.destroy();
  return got;
}

/** One request on a connection of its own. */
function get(target: string, method = 'GET', headers = ''): Promise<string> {
  return raw(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`);
}

function post(target: string, body: string, headers = ''): Promise<string> {
  return get(
    target,
    'POST',
    `Content-Length: ${Buffer.byteLength(body)}\r\n${headers}`.trimEnd() + `\r\n\r\n${body}`,
  );
}

test('a ping says the versions and the kind of builder in its headers, with and without a version in the path', async () => {
  for (const target of ['/_ping', '/v1.24/_ping', '/v1.51/_ping']) {
    const answer = await get(target);
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(answer, /\r\nApi-Version: 1\.51\r\n/);
    assert.match(answer, /\r\nBuilder-Version: 1\r\n/);
    assert.match(answer, /\r\nOstype: linux\r\n/);
    assert.match(answer, /\r\nDocker-Experimental: false\r\n/);
    assert.match(answer, /\r\nServer: Pinnace\/0 \(linux\)\r\n/);
    assert.ok(answer.endsWith('\r\n\r\nOK'));
  }
  assert.ok((await get('/_ping', 'HEAD')).endsWith('\r\n\r\n'));
});

test('a client that is too new or too old is told so in the words of dockerd', async () => {
  assert.match(
    await get('/v1.99/version'),
    / 400 [^]*"client version 1\.99 is too new\. Maximum supported API version is 1\.51"/,
  );
  assert.match(
    await get('/v1.12/version'),
    / 400 [^]*"client version 1\.12 is too old\. Minimum supported API version is 1\.24, please upgrade/,
  );
});

test('an unknown route is 404 and names method and path; a known one that is not built is 501 and names itself', async () => {
  assert.match(await get('/v1.43/nowhere'), / 404 [^]*{"message":"page not found: GET \/nowhere"}/);
  assert.match(await get('/version', 'DELETE'), / 404 [^]*page not found: DELETE/);
  assert.match(await post('/swarm/init', ''), / 501 [^]*POST \/swarm\/init[^]*swarm/);
  assert.match(await post('/session', ''), / 501 [^]*POST \/session/);
});

test('an image reference keeps its slashes, colons and percent signs', async () => {
  await get('/v1.43/images/127.0.0.1:5000/a/b:c/json');
  await get('/images/a%2Fb/json');
  assert.deepEqual(fakes.calls, ['inspect 127.0.0.1:5000/a/b:c', 'inspect a/b']);
  assert.match(await get('/images/a%zz/json'), / 400 [^]*percent-encoding/);
});

test('a wrong body is refused with the name of the field', async () => {
  assert.match(
    await post('/containers/create', '{"Image":7}'),
    / 400 [^]*Image must be a string, not 7/,
  );
  assert.match(
    await post('/containers/create', '{"HostConfig":{"Memory":"1g"}}'),
    / 400 [^]*HostConfig\.Memory must be a whole number/,
  );
  assert.match(
    await post('/containers/create', '{"Env":["A=1",2]}'),
    / 400 [^]*Env must be a list of strings/,
  );
  assert.match(await post('/containers/create', '[1]'), / 400 [^]*not a JSON object/);
  assert.match(await post('/containers/create', '{"Image"'), / 400 [^]*not valid JSON/);
  assert.match(await post('/containers/create', ''), / 400 [^]*body is empty/);
  assert.match(
    await post('/containers/create', `{"Labels":${'{"a":'.repeat(40)}1${'}'.repeat(41)}`),
    / 400 [^]*deeper than 32 levels/,
  );
  assert.deepEqual(fakes.calls, []);
});

test('a body beyond the bound is refused', async () => {
  await assert.rejects(
    client.containers.create(undefined, { Image: 'x', Labels: { a: 'x'.repeat(9 * 1024 * 1024) } }),
    /larger than/,
  );
});

test('query parameters are checked and named', async () => {
  assert.match(
    await get('/containers/json?limit=many'),
    / 400 [^]*limit is not a whole number: many/,
  );
  assert.match(await get('/containers/json?filters={"a'), / 400 [^]*filters is not valid JSON/);
  assert.match(
    await get('/containers/json?filters={"colour":["red"]}'),
    / 400 [^]*invalid filter 'colour'/,
  );
  assert.match(
    await post('/containers/box/wait?condition=never', ''),
    / 400 [^]*invalid condition: \\"never\\"/,
  );
  assert.match(await get('/containers/box/logs'), / 400 [^]*you must choose at least one stream/);
});

test('both forms of filters mean the same', async () => {
  await client.containers.list({ all: true, filters: { label: ['a=b'] } });
  await get('/containers/json?all=1&filters={"label":{"a=b":true,"c":false}}');
  assert.equal(
    fakes.calls[0],
    'list {"all":true,"limit":0,"size":false,"filters":{"label":["a=b"]}}',
  );
  assert.equal(fakes.calls[1], fakes.calls[0]);
});

test('not-modified is 304 without a body', async () => {
  assert.equal(await client.containers.start('box'), 'not-modified');
});

test('an error of a service keeps its kind and its words through server and client', async () => {
  await assert.rejects(client.containers.inspect('nobody'), (error) => {
    assert.ok(error instanceof EngineError);
    assert.equal(error.kind, 'not-found');
    assert.equal(error.message, 'No such container: nobody');
    return true;
  });
});

test('wait sends its head at once and its body at the end, and an error as an error', async () => {
  const { result } = await client.containers.wait('box', 'next-exit');
  fakes.end(7);
  assert.deepEqual(await result, { StatusCode: 7 });
  await assert.rejects(client.containers.wait('nobody', 'next-exit'), /No such container: nobody/);
});

test('a client that goes away aborts its wait', async () => {
  const abort = new AbortController();
  const { result } = await client.containers.wait('box', 'removed', { signal: abort.signal });
  abort.abort();
  await assert.rejects(result);
  await waitUntil(() => fakes.calls.includes('wait aborted'));
});

test('attach upgrades to a multiplexed stream, each direction ending by itself', async () => {
  const { theirs, ours } = pair();
  fakes.stream = ours;
  const attached = await client.containers.attach('box', {
    stdin: true,
    stdout: true,
    stderr: true,
  });
  assert.ok(attached.multiplexed);
  attached.socket.end('to the container');
  assert.equal(await text(theirs), 'to the container');
  theirs.end(Buffer.concat([frameHeader('stdout', 5), Buffer.from('after')]));
  assert.equal((await text(attached.socket)).slice(8), 'after');
});

test('a tty, or a client older than 1.42, gets a raw stream', async () => {
  for (const { version, tty } of [
    { version: '1.41', tty: false },
    { version: '1.51', tty: true },
  ]) {
    fakes.stream = Duplex.from(Readable.from([Buffer.from('out')]));
    fakes.tty = tty;
    const target = `/v${version}/containers/box/attach?stdout=1&stream=1`;
    const answer = await get(target, 'POST', 'Upgrade: tcp\r\n').then((it) => it, String);
    assert.doesNotMatch(answer, /multiplexed/);
  }
  fakes.stream = Duplex.from(Readable.from([Buffer.from('out')]));
  const upgraded = await raw(
    'POST /v1.41/containers/box/attach?stdout=1&stream=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n',
  );
  assert.match(
    upgraded,
    /^HTTP\/1\.1 101 UPGRADED\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/,
  );
});

test('attach without Upgrade answers 200 and then the raw stream', async () => {
  fakes.stream = Duplex.from(Readable.from([Buffer.from('output')]));
  const answer = await raw(
    'POST /containers/box/attach?stdout=1&stream=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
  );
  assert.match(
    answer,
    /^HTTP\/1\.1 200 OK\r\nContent-Type: application\/vnd\.docker\.raw-stream\r\n/,
  );
  assert.ok(answer.endsWith('\r\n\r\noutput'));
});

test('an upgraded request may have a body, whole, chunked or in pieces, and input right behind it', async () => {
  const head =
    'POST /exec/abc/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n';
  const body = '{"Detach":false,"Tty":false}';
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\nEARLY`;
  const whole = `${head}Content-Length: ${body.length}\r\n\r\n${body}EARLY`;
  for (const request of [whole, chunked]) {
    for (const size of [request.length, 40]) {
      const { theirs, ours } = pair();
      fakes.stream = ours;
      const socket = connect(path);
      for (let at = 0; at < request.length; at += size) {
        socket.write(request.slice(at, at + size));
        await delay(size < request.length ? 2 : 0);
      }
      socket.end();
      assert.equal(await text(theirs), 'EARLY');
      theirs.end();
      assert.match(await collect(socket), /^HTTP\/1\.1 101 UPGRADED/);
    }
  }
});

test('an upgraded request that fails gets an ordinary answer', async () => {
  const head =
    'POST /containers/nobody/attach HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n';
  assert.match(await raw(`${head}\r\n`), /^HTTP\/1\.1 404 [^]*No such container: nobody/);
  assert.match(
    await raw(`${head}Content-Length: 99999999\r\n\r\n`),
    /^HTTP\/1\.1 400 [^]*more than an upgraded request may have/,
  );
  assert.match(
    await raw(`${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`),
    /^HTTP\/1\.1 400 [^]*broken chunk/,
  );
  const other =
    'GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n\r\n';
  assert.match(await raw(other, 'OK'), /^HTTP\/1\.1 200 OK/);
});

test('a slow reader holds the container back instead of filling memory', async () => {
  let produced = 0;
  fakes.stream = Duplex.from(
    (function* () {
      for (; produced < 1000; produced += 1) yield Buffer.alloc(64 * 1024);
    })(),
  );
  const { socket } = await client.containers.attach('box', { stdout: true });
  socket.pause();
  await delay(100);
  assert.ok(produced < 200, `${produced} pieces were taken while nobody read`);
  socket.destroy();
});

test('a follower of logs that goes away ends the following', async () => {
  const abort = new AbortController();
  const { stream, multiplexed } = await client.containers.logs('box', {
    stdout: true,
    follow: true,
    signal: abort.signal,
  });
  assert.ok(multiplexed);
  await once(stream, 'data');
  stream.on('error', () => undefined);
  abort.abort();
  await waitUntil(() => fakes.calls.includes('logs aborted'));
});

test('logs read their numbers and times as docker does', async () => {
  await get(
    '/containers/box/logs?stdout=1&tail=all&since=1700000000.5&until=2024-01-01T00:00:00.000000001Z',
  );
  const options = JSON.parse((fakes.calls[0] ?? '').slice('logs '.length)) as Record<
    string,
    unknown
  >;
  assert.equal(options['sinceNano'], 1_700_000_000.5e9);
  assert.equal(options['untilNano'], Date.parse('2024-01-01') * 1e6 + 1);
  assert.equal('tail' in options, false);
});

test('a pull decodes its credentials and sends lines of JSON', async () => {
  const lines = [];
  for await (const line of client.images.pull('busybox', {
    auth: { username: 'ann', password: 'x' },
  }))
    lines.push(line);
  assert.deepEqual(lines, [{ status: 'Pulling busybox:latest' }]);
  assert.deepEqual(fakes.calls, ['pull busybox:latest ann']);
  assert.match(
    await post('/images/create?fromImage=a', '', 'X-Registry-Auth: !!'),
    / 400 [^]*x-registry-auth is not base64/i,
  );
  assert.match(
    await post('/images/create?fromImage=a', '', 'X-Registry-Auth: bm8='),
    / 400 [^]*not valid JSON/,
  );
});

test('a build that fails before its first line is an error, after it the last line', async () => {
  fakes.build = () => Promise.reject(new EngineError('invalid', 'no FROM'));
  await assert.rejects(run(), /no FROM/);
  fakes.build = (_context, _options, io) => {
    io.write({ stream: 'Step 1/1 : FROM x\n' });
    return Promise.reject(new EngineError('invalid', 'it broke', { cause: { exitCode: 3 } }));
  };
  const answer = await post('/build', '');
  assert.match(answer, / 200 OK[^]*{"stream":"Step 1\/1 : FROM x\\n"}\r\n/);
  assert.match(answer, /{"errorDetail":{"code":3,"message":"it broke"},"error":"it broke"}\r\n/);
});

test('the options of a build are checked, and what cannot be honoured says so', async () => {
  for (const [query, words] of [
    ['remote=https://x/y.git', /remote=/],
    ['version=2', /BuildKit/],
    ['squash=1', /squash/],
    ['buildargs={"a":1}', /buildargs: the value of a is not a string/],
    ['memory=lots', /memory is not a whole number/],
    ['ulimits=[{"Name":1}]', /ulimits\[0\]\.Name must be a string/],
  ] as const) {
    assert.match(await post(`/build?${encodeURI(query)}`, ''), words);
  }
});

test('a client that goes away in the middle of a build aborts it', async () => {
  const begun = Promise.withResolvers<AbortSignal>();
  fakes.build = (_context, _options, io) => {
    begun.resolve(io.signal);
    io.write({ stream: 'working\n' });
    return new Promise((_resolve, reject) => {
      io.signal.addEventListener('abort', () => reject(new EngineError('cancelled', 'aborted')));
    });
  };
  const socket = connect(path);
  socket.write('POST /build HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  const signal = await begun.promise;
  socket.destroy();
  await waitUntil(() => signal.aborted);
});

test('events tell the past since a time and end at a time', async () => {
  const { events } = fakes.services as unknown as { events: { emit(...args: unknown[]): void } };
  events.emit('container', 'start', {
    ID: 'a1',
    Attributes: { image: 'busybox:1', name: 'box', stage: 'x' },
  });
  events.emit('image', 'pull', { ID: 'busybox', Attributes: { name: 'busybox:1' } });
  const seen = async (filters: Record<string, string[]>): Promise<string[]> => {
    const found: string[] = [];
    const until = String(Date.now() / 1000 + 0.05);
    for await (const event of client.system.events({ since: '1', until, filters }))
      found.push(`${event.Type} ${event.Action}`);
    return found;
  };
  assert.deepEqual(await seen({}), ['container start', 'image pull']);
  assert.deepEqual(await seen({ container: ['box'] }), ['container start']);
  assert.deepEqual(await seen({ image: ['busybox'] }), ['container start', 'image pull']);
  assert.deepEqual(await seen({ event: ['pull'], type: ['container'] }), []);
  assert.deepEqual(await seen({ label: ['stage=x'] }), ['container start']);
});

test('what is no HTTP gets one clear answer and harms nobody', async () => {
  assert.match(await raw('\0\0\0 nonsense\r\n\r\n'), /^HTTP\/1\.1 400 /);
  assert.match(await raw(`GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 431 /);
  assert.match(await get('/_ping'), / 200 OK/);
});

test('the archive header carries the facts of a path', async () => {
  const { stat, tar } = await client.containers.archiveGet('box', '/a');
  assert.equal(stat.mode, 420);
  assert.equal(await text(tar), 'tar');
});

test('shutdown answers before the engine begins to end', async () => {
  await client.system.shutdown();
  await waitUntil(() => fakes.shutdowns === 1);
  assert.deepEqual(problems, []);
});

async function run(): Promise<void> {
  for await (const line of client.images.build(Readable.from([]), {}))
    assert.fail(JSON.stringify(line));
}

async function text(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1');
}

/** Two ends of one connection, as the shim's socket and the container. */
function pair(): { theirs: Duplex; ours: Duplex } {
  const down = new PassThrough();
  const up = new PassThrough();
  return {
    ours: Duplex.from({ readable: down, writable: up }),
    theirs: Duplex.from({ readable: up, writable: down }),
  };
}

async function waitUntil(condition: () => boolean): Promise<void> {
  for (let at = 0; at < 12_000 && !condition(); at += 1) await delay(5);
  assert.ok(condition());
}
