/** Pushing to registries that want tokens, speak TLS, lie, or are not to be trusted with a login. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { Transport } from '../../src/client/api/transport.ts';
import { command, startTestEngine, type TestEngine } from '../support/engine.ts';

/** The least that a registry must do to be pushed to; `before` may answer in its place. */
class SmallRegistry {
  readonly blobs = new Map<string, Buffer>();
  readonly manifests = new Map<string, Buffer>();
  readonly requests: { line: string; authorization: string }[] = [];
  before: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  readonly listener: RequestListener = (request, response) => {
    const url = new URL(request.url ?? '/', 'http://registry');
    const { authorization = '' } = request.headers;
    this.requests.push({ line: `${request.method ?? ''} ${url.pathname}`, authorization });
    if (this.before(request, response)) return;
    void this.answer(request, response, url);
  };

  async answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const digest = /\/blobs\/(sha256:\w+)$/.exec(url.pathname)?.[1];
    if (request.method === 'HEAD')
      return void response
        .writeHead(digest !== undefined && this.blobs.has(digest) ? 200 : 404)
        .end();
    if (request.method === 'POST')
      return void response.writeHead(202, { location: `${url.pathname}upload?a=1` }).end();
    if (request.method === 'PATCH') {
      this.blobs.set('pending', body);
      return void response.writeHead(202, { location: `${url.pathname}?a=1` }).end();
    }
    if (url.pathname.includes('/manifests/')) {
      this.manifests.set(url.pathname, body);
      return void response.writeHead(201).end();
    }
    const pending = this.blobs.get('pending') ?? Buffer.alloc(0);
    const real = `sha256:${createHash('sha256').update(pending).digest('hex')}`;
    this.blobs.set(real, pending);
    response.writeHead(real === url.searchParams.get('digest') ? 201 : 400).end();
  }
}

const listen = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
};

describe('pushing to registries that are not simple', () => {
  let engine: TestEngine;
  let transport: Transport;
  const servers: Server[] = [];
  const open = async (make: (listener: RequestListener) => Server = createServer) => {
    const registry = new SmallRegistry();
    const server = make(registry.listener);
    servers.push(server);
    return { registry, address: await listen(server) };
  };
  const push = async (address: string, auth?: object): Promise<string> => {
    await engine.docker('tag', 'busybox', `${address}/some/image:1`);
    const headers =
      auth === undefined
        ? {}
        : { 'X-Registry-Auth': Buffer.from(JSON.stringify(auth)).toString('base64url') };
    const answer = await transport.open('image.push', {
      params: { name: `${address}/some/image` },
      query: { tag: '1' },
      headers,
    });
    return Buffer.concat(await answer.toArray()).toString();
  };

  before(async () => {
    engine = await startTestEngine('system');
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
    transport = new Transport({ socketPath: engine.address.slice('unix://'.length) });
  });
  after(async () => {
    transport.close();
    for (const server of servers) server.close();
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('a token is got for the right scope and used', async () => {
    const { registry, address } = await open();
    const scopes: string[] = [];
    registry.before = (request, response) => {
      const url = new URL(request.url ?? '/', 'http://registry');
      if (url.pathname === '/token') {
        const basic = Buffer.from('me:secret').toString('base64');
        assert.equal(request.headers.authorization, `Basic ${basic}`);
        scopes.push(...url.searchParams.getAll('scope'));
        response.end(JSON.stringify({ token: 'good' }));
        return true;
      }
      if (request.headers.authorization === 'Bearer good') return false;
      request.resume();
      const scope = 'repository:some/image:pull,push';
      const challenge = `Bearer realm="http://${address}/token",service="s",scope="${scope}"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return true;
    };
    assert.match(await push(address, { username: 'me', password: 'secret' }), /1: digest: sha256/);
    assert.deepEqual(scopes, ['repository:some/image:pull,push'], 'one token serves the push');
    assert.equal(registry.manifests.size, 1);
  });

  test('a token that the caller brings is used as it is', async () => {
    const { registry, address } = await open();
    registry.before = (request, response) => {
      if (request.headers.authorization === 'Bearer brought') return false;
      request.resume();
      response.writeHead(401).end();
      return true;
    };
    assert.match(await push(address, { registrytoken: 'brought' }), /1: digest: sha256/);
  });

  test('over TLS with a certificate of its own on this machine', async () => {
    const dir = mkdtempSync('/tmp/pinnace-tls-');
    const [key, cert] = [join(dir, 'key'), join(dir, 'cert')];
    const made = await command([
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
    ]);
    assert.equal(made.status, 0, made.stderr);
    const tls = { key: readFileSync(key), cert: readFileSync(cert) };
    rmSync(dir, { recursive: true });
    const { registry, address } = await open((listener) => createTlsServer(tls, listener));
    assert.match(await push(address), /1: digest: sha256/);
    assert.equal(registry.manifests.size, 1);
  });

  test('another host that uploads are sent to never sees the login', async () => {
    const other = await open();
    const { registry, address } = await open();
    registry.before = (request, response) => {
      if (request.method !== 'POST') return false;
      request.resume();
      response.writeHead(202, { location: `http://${other.address}/v2/elsewhere/upload` }).end();
      return true;
    };
    const said = await push(address, { username: 'me', password: 'secret' });
    assert.match(said, /digest/);
    assert.ok(other.registry.requests.length > 0, 'the bytes went there');
    assert.deepEqual(
      new Set(other.registry.requests.map(({ authorization }) => authorization)),
      new Set(['']),
    );
  });

  test('a registry that stores something else, refuses, or asks in circles is told apart', async () => {
    const { registry, address } = await open();
    registry.before = (request, response) => {
      if (request.method !== 'PUT' || request.url?.includes('/manifests/') !== true) return false;
      request.resume();
      response.writeHead(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end();
      return true;
    };
    assert.match(await push(address), /stored the manifest as sha256:0000/);
    registry.before = (request, response) => {
      request.resume();
      response.writeHead(403, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"DENIED","message":"not yours"}]}');
      return true;
    };
    assert.match(await push(address), /denied: .*status 403/);
    let asked = 0;
    registry.before = (request, response) => {
      asked += 1;
      request.resume();
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return true;
    };
    const said = await push(address, { username: 'me', password: 'wrong' });
    assert.match(said, /denied|refuses the given credentials/);
    assert.ok(asked < 10, `${String(asked)} requests`);
  });

  test('a break in the middle of a blob is mended by sending it again', async () => {
    const { registry, address } = await open();
    let breaks = 2;
    registry.before = (request) => {
      if (request.method !== 'PATCH' || breaks === 0) return false;
      breaks -= 1;
      request.once('data', () => request.destroy());
      return true;
    };
    assert.match(await push(address), /1: digest: sha256/);
    assert.equal(breaks, 0);
  });
});
