/** Row 29 of the table of known escapes: a registry that lies, asked by a real engine. Each lie is an error that says what was wrong, in time, and nothing is kept of the pull. */

import assert from 'node:assert/strict';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';
import { makeConfig, makeLayer, type MadeLayer } from '../support/image-rig.ts';
import { startLyingRegistry, type Lie, type LyingRegistry } from '../support/lying-registry.ts';
import { assertTraces, settledTraces, type Traces } from '../support/traces.ts';

/** A name that no resolver knows: only the proxy leads to it. */
const FAR = 'registry.invalid:5000';
const WITHIN_MS = 60_000;

describe('a registry that lies to an engine', () => suite('rootless'));

/** An HTTP proxy on loopback that leads every name to one port. */
async function startProxy(port: number): Promise<{ url: string; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((client) => {
    sockets.add(client);
    client.once('data', (head) => {
      const onward = connect(port, '127.0.0.1');
      sockets.add(onward);
      const tunnel = head.toString('latin1').startsWith('CONNECT ');
      if (tunnel) client.write('HTTP/1.1 200 OK\r\n\r\n');
      else onward.write(head);
      client.pipe(onward).pipe(client);
      onward.on('error', () => client.destroy());
    });
    client.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** A service of this machine that a registry should not get us to ask. */
async function startSecret(): Promise<{ server: Server; url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('{"token":"secret"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${String(port)}/secret`, asked };
}

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let registry: LyingRegistry;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let secret: Awaited<ReturnType<typeof startSecret>>;
  let layer: MadeLayer;
  let base: Traces;

  before(async () => {
    registry = await startLyingRegistry();
    secret = await startSecret();
    proxy = await startProxy(Number(registry.address.split(':')[1]));
    layer = await makeLayer({ 'a/': { dir: true }, 'a/b': 'c'.repeat(5000) });
    registry.publish('lib/app', '1', {
      config: JSON.stringify(makeConfig([layer])),
      layers: [layer],
    });
    const env = { HTTP_PROXY: proxy.url, http_proxy: proxy.url, NO_PROXY: '', no_proxy: '' };
    engine = await startTestEngine(mode, env, (user, home) => {
      const data = join(home, 'data');
      mkdirSync(data, { mode: 0o700 });
      const config = join(data, 'config.json');
      writeFileSync(config, JSON.stringify({ insecureRegistries: [FAR] }), { mode: 0o644 });
      if (user !== undefined)
        for (const path of [data, config]) chownSync(path, user.uid, user.uid);
      return undefined;
    });
    base = await settledTraces(engine);
  });
  after(async () => {
    const left = await engine.close();
    proxy.close();
    secret.server.closeAllConnections();
    secret.server.close();
    await registry.close();
    assert.deepEqual(left, [], 'nothing is left behind');
  });

  const onManifest =
    (lie: Lie): Lie =>
    (request, response) =>
      request.url?.includes('/manifests/') === true && lie(request, response);
  const onBlob =
    (lie: Lie): Lie =>
    (request, response) =>
      request.url?.endsWith(layer.digest) === true && lie(request, response);
  const redirect =
    (to: () => string): Lie =>
    (_, response) => {
      response.writeHead(307, { location: to() });
      return Boolean(response.end());
    };
  /** Asks for a token at another place. */
  const challenge =
    (realm: () => string): Lie =>
    (_, response) => {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm()}",service="x"` });
      return Boolean(response.end('{}'));
    };
  const forever =
    (byte: number): Lie =>
    (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, byte)));
      };
      response.on('drain', more);
      more();
      return true;
    };
  const manifest = (change: (document: Record<string, unknown>) => unknown): Lie =>
    onManifest((_, response) => {
      const size = layer.gzip.length;
      const document = {
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: {
          mediaType: 'application/vnd.oci.image.config.v1+json',
          digest: `sha256:${'1'.repeat(64)}`,
          size: 100,
        },
        layers: [
          {
            mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
            digest: layer.digest,
            size,
          },
        ],
      };
      response.writeHead(200, { 'content-type': document.mediaType });
      return Boolean(response.end(JSON.stringify(change(document))));
    });

  /** A pull from `host` that a lie spoils. */
  const spoiled = async (host: string, lie: Lie, words: RegExp, what: string): Promise<void> => {
    const { asked } = secret;
    registry.lie = lie;
    const started = performance.now();
    const pulled = await engine.tryDocker(['pull', `${host}/lib/app:1`], { timeout: WITHIN_MS });
    registry.lie = undefined;
    assert.ok(pulled.status !== 0 && pulled.status !== 124, `${what}: ${pulled.stdout}`);
    assert.match(pulled.stderr, words, what);
    assert.ok(performance.now() - started < WITHIN_MS, what);
    assert.deepEqual(asked, [], `${what}: nothing of this machine was asked`);
    assert.equal(await engine.docker('images', '-aq'), '', what);
    await assertTraces(engine, base);
  };

  test('wrong bytes, sizes and digests are refused by name', async () => {
    const near = registry.address;
    const bytes = layer.gzip;
    const cases: readonly (readonly [string, Lie, RegExp])[] = [
      [
        'other bytes',
        onBlob((_, response) => Boolean(response.end(Buffer.alloc(bytes.length, 1)))),
        /./,
      ],
      [
        'more bytes',
        onBlob((_, response) => Boolean(response.end(Buffer.concat([bytes, bytes])))),
        /more than the \d+ bytes/,
      ],
      ['a layer without end', onBlob(forever(0)), /more than the \d+ bytes/],
      ['a manifest without end', onManifest(forever(0x20)), /longer than/],
      ['deep JSON', onManifest((_, response) => Boolean(response.end('['.repeat(MANY)))), /nested/],
      [
        'another digest',
        onManifest((_, response) => {
          response.writeHead(200, { 'docker-content-digest': `sha256:${'1'.repeat(64)}` });
          return Boolean(response.end('{}'));
        }),
        /something else/,
      ],
      [
        'a huge configuration',
        manifest((all) => ({ ...all, config: huge(all['config']) })),
        /larger/,
      ],
      [
        'a thousand layers',
        manifest((all) => ({ ...all, layers: Array(1000).fill((all['layers'] as unknown[])[0]) })),
        /1000 entries; at most 500/,
      ],
      ['a negative size', manifest((all) => ({ ...all, config: { size: -1 } })), /mediaType|size/],
      [
        'a name for a digest',
        manifest((all) => ({ ...all, config: named(all['config']) })),
        /digest/,
      ],
    ];
    for (const [what, lie, words] of cases) await spoiled(near, lie, words, what);
  });

  test('a registry far away gets nothing of this machine asked', async () => {
    // The registry works, and the way to it is the proxy's.
    const pulled = await engine.tryDocker(['pull', `${FAR}/lib/app:1`]);
    assert.equal(pulled.status, 0, pulled.stderr);
    await engine.docker('rmi', `${FAR}/lib/app:1`);
    await assertTraces(engine, base);
    const { port } = new URL(secret.url);
    const places = [
      secret.url,
      `http://localhost:${port}/secret`,
      `http://[::1]:${port}/secret`,
      `http://[::ffff:127.0.0.1]:${port}/secret`,
      `http://0.0.0.0:${port}/secret`,
      `http://2130706433:${port}/secret`,
      `http://127.1:${port}/secret`,
      `http://a.localhost:${port}/secret`,
      'http://169.254.169.254/latest/meta-data',
      'file:///etc/passwd',
      `unix://${engine.runRoot}/engine.sock`,
      'ftp://127.0.0.1/x',
    ];
    const refusal = /refused|only http and https|this machine|malformed|no valid place/;
    for (const [at, place] of places.entries()) {
      await spoiled(FAR, onManifest(redirect(() => place)), refusal, `a manifest at ${place}`);
      if (at % 4 !== 0) continue;
      await spoiled(FAR, onBlob(redirect(() => place)), refusal, `a layer at ${place}`);
      await spoiled(FAR, onManifest(challenge(() => place)), refusal, `a token at ${place}`);
    }
  });

  test('circles end', async () => {
    const near = registry.address;
    const again: Lie = (request, response) => redirect(() => request.url ?? '/')(request, response);
    await spoiled(near, onManifest(again), /circles/, 'redirects');
    await spoiled(near, onBlob(again), /circles/, 'redirects of a layer');
    const realm = (): string => `http://${near}/token`;
    const refused: Lie = (request, response) =>
      request.url?.startsWith('/token') === true
        ? Boolean(response.end('{"token":"t"}'))
        : request.url === '/v2/'
          ? false
          : challenge(realm)(request, response);
    await spoiled(near, refused, /denied.*docker login/, 'authorization');
    const endless: Lie = (request, response) =>
      request.url?.startsWith('/token') === true
        ? forever(0x20)(request, response)
        : challenge(realm)(request, response);
    await spoiled(near, endless, /token is longer/, 'a token without end');
  });

  test('a pull that the client gives up leaves nothing, however slow the registry is', async () => {
    for (const lie of [
      onManifest(() => true),
      onBlob((_, response) => {
        response.writeHead(200, { 'content-length': layer.gzip.length });
        const timer = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(timer));
        return true;
      }),
    ]) {
      registry.lie = lie;
      const before = registry.requests.length;
      const abort = new AbortController();
      const pull = engine.tryDocker(['pull', `${registry.address}/lib/app:1`], {
        signal: abort.signal,
      });
      while (registry.requests.length < before + 1) await new Promise((go) => setTimeout(go, 20));
      setTimeout(() => abort.abort(), 300);
      assert.notEqual((await pull).status, 0);
      registry.lie = undefined;
      await assertTraces(engine, base);
    }
  });
}

const MANY = 100_000;

function huge(config: unknown): object {
  return { ...(config as object), size: 2 ** 40 };
}

function named(config: unknown): object {
  return { ...(config as object), digest: '../../../../etc/passwd' };
}
