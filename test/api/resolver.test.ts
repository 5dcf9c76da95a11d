/** A window of a desktop editor inside a container, as far as it goes without one: the resolver, a downloaded VS Code Server that really runs inside, and a client that speaks the editor's own protocol with it over the resolver's connections. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { createGzip } from 'node:zlib';
import { create } from 'tar';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { ensureHost, HOST_NODE } from '../../scripts/lib/workbench.ts';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { parseAddress } from '../../src/client/api/addresses.ts';
import { type Kit, makeKit } from '../../src/client/devcontainer/kit.ts';
import { up } from '../../src/client/devcontainer/up.ts';
import { type Product, readProduct } from '../../src/client/vscode-server/product.ts';
import { provideServer } from '../../src/client/vscode-server/store.ts';
import { authorityOf } from '../../src/extension/resolver/authority.ts';
import { Resolver } from '../../src/extension/resolver/resolver.ts';
import type { Engine } from '../../src/extension/engine/engines.ts';
import { ROOT, startTestEngine, type TestEngine } from '../support/engine.ts';
import { connectManagement, type Hello } from '../support/vscode-client.ts';

const SERVER = join(ROOT, 'test/workbench/host/node_modules/code-server/lib/vscode');
const never = new AbortController().signal;

let engine: TestEngine;
let client: Client;
let dir: string;
let folder: string;
let product: Product;
let kit: Kit;
let web: Server;
let downloads = 0;
let resolver: Resolver;

before(async () => {
  await ensureHost();
  dir = mkdtempSync('/tmp/pinnace-res-');
  await makeImages(['busybox:latest', 'debian:bookworm-slim']);
  engine = await startTestEngine('system');
  for (const image of ['busybox:latest', 'debian:bookworm-slim'] as const)
    await engine.docker('load', '-q', '-i', archiveOf(image));
  client = createClient(parseAddress(engine.address));
  web = createServer((request, response) => {
    if (!request.url?.endsWith('.tar.gz')) {
      response.writeHead(404).end();
      return;
    }
    downloads += 1;
    void pipeline(serverArchive(), createGzip({ level: 0 }), response);
  });
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  product = {
    ...readProduct(SERVER),
    downloadTemplate: `http://127.0.0.1:${(web.address() as AddressInfo).port}/\${commit}-\${arch}.tar.gz`,
  };
  kit = await kitOf();
  folder = join(dir, 'shop');
  mkdirSync(join(folder, '.devcontainer'), { recursive: true });
  writeFileSync(
    join(folder, '.devcontainer', 'devcontainer.json'),
    JSON.stringify({ image: 'debian:bookworm-slim', initializeCommand: `touch ${dir}/ran` }),
  );
  resolver = newResolver();
});

after(async () => {
  resolver.dispose();
  client.close();
  web.closeAllConnections();
  web.close();
  const left = await engine.close();
  rmSync(dir, { recursive: true, force: true });
  assert.deepEqual(left, []);
});

test('a folder without its container is refused with a way out, and nothing of it runs', async () => {
  const authority = authorityOf({ folder, engine: 'pinnace' });
  await assert.rejects(resolver.resolve(authority, never), /choose Reopen in Container/);
  assert.ok(!existsSync(join(dir, 'ran')));
});

test('a window opens in a stopped container: it is started, and the server of the editor’s commit answers', async () => {
  await makeContainer();
  const id = await engine.docker('ps', '-q', '--no-trunc');
  await engine.docker('stop', '-t', '0', id);
  rmSync(join(dir, 'ran'));
  const listeners = openListeners();
  const { opened, makeConnection, token } = await resolve();
  assert.equal(opened.containerId, id);
  assert.equal(opened.folder, '/workspaces/shop');
  const window = await connectManagement(await makeConnection(), hello(token));
  const environment = (await window.call('remoteextensionsenvironment', 'getEnvironmentData', {
    remoteAuthority: 'pinnace+00',
  })) as Record<string, { path?: string }>;
  assert.equal(environment['appRoot']?.path, '/.pinnace/server');
  assert.equal(openListeners(), listeners, 'no port of this machine is opened');
  assert.equal(downloads, 1);
  assert.ok(!existsSync(join(dir, 'ran')), 'nothing of the folder ran on this machine');
  window.end();
});

test('who has not the token, and who is of another commit, is refused by the server', async () => {
  const { makeConnection, token } = await resolve();
  await assert.rejects(
    connectManagement(await makeConnection(), { ...hello(token), token: 'guessed' }),
    /auth mismatch/,
  );
  await assert.rejects(
    connectManagement(await makeConnection(), { ...hello(token), commit: 'b'.repeat(40) }),
    /version mismatch/,
  );
});

test('a window goes on after its connection and after the engine was killed', async () => {
  const { makeConnection, token } = await resolve();
  const first = await makeConnection();
  const window = await connectManagement(first, hello(token));
  first.end();
  const again = await connectManagement(await makeConnection(), {
    ...hello(token),
    session: window.session,
  });
  const pid = await engine.pid();
  process.kill(pid, 'SIGKILL');
  const passing = await makeConnection();
  assert.notEqual(await engine.pid(), pid);
  const third = await connectManagement(passing, { ...hello(token), session: again.session });
  assert.ok(await third.call('remoteextensionsenvironment', 'getEnvironmentData', {}));
  const after = await resolve(1);
  assert.equal(after.opened.started, false, 'the same server is found again');
  assert.equal(after.token, token);
});

test('ports inside are carried to the loopback', async () => {
  const { opened } = await resolve();
  const script = "require('net').createServer((s)=>s.end('from inside')).listen(8123,'127.0.0.1')";
  await engine.docker('exec', '-d', opened.containerId, '/.pinnace/node', '-e', script);
  const tunnel = await resolver.tunnel({ remoteAddress: { host: 'localhost', port: 8123 } });
  let text = '';
  for (let tries = 0; tries < 100 && text === ''; tries += 1) {
    text = await readAll(tunnel.localAddress.port);
  }
  assert.equal(text, 'from inside');
  let told = false;
  tunnel.onDidDispose(() => (told = true));
  tunnel.dispose();
  assert.ok(told);
  assert.equal(await readAll(tunnel.localAddress.port), 'ECONNREFUSED');
});

test('a container with the server of an older editor gets the new one beside it, also without glibc', async () => {
  const old = join(dir, 'old');
  mkdirSync(join(old, 'out'), { recursive: true });
  writeFileSync(join(old, 'out', 'server-main.js'), 'throw new Error("the old one was started")');
  writeFileSync(join(old, 'product.json'), JSON.stringify({ commit: 'b'.repeat(40) }));
  const mount = (source: string, target: string): string[] => ['-v', `${source}:${target}:ro`];
  await engine.docker(
    ...['run', '-d', '--init', '--name', 'updated'],
    ...mount(kit.folder, '/.pinnace'),
    ...mount(old, '/.pinnace/server'),
    ...['busybox', 'sleep', '100000'],
  );
  const authority = authorityOf({ container: 'updated', engine: 'pinnace' });
  const { makeConnection, token, opened } = await resolver.resolve(authority, never);
  const window = await connectManagement(await makeConnection(), hello(token));
  const environment = (await window.call('remoteextensionsenvironment', 'getEnvironmentData', {
    remoteAuthority: authority,
  })) as Record<string, { path?: string }>;
  assert.equal(environment['appRoot']?.path, `/.pinnace-servers/${product.commit}`);
  assert.equal(opened.folder, '/');
  const again = await newResolver().resolve(authority, never);
  assert.equal(again.opened.started, false);
  window.end();
});

test('a container that is gone is named', async () => {
  await engine.docker('rm', '-f', 'updated');
  await assert.rejects(
    resolver.resolve(authorityOf({ container: 'updated', engine: 'pinnace' }), never),
    /has no container updated any more/,
  );
});

function newResolver(): Resolver {
  return new Resolver({
    engine: async () => {
      await engine.start();
      const has = (): boolean => true;
      return { client, has, entry: { label: 'Pinnace' } } as unknown as Engine;
    },
    kit: () => Promise.resolve(kit),
    commit: product.commit,
    env: () => ({ HOME: dir }),
    say: () => undefined,
  });
}

function resolve(attempt = 0): ReturnType<Resolver['resolve']> {
  assert.ok(attempt < 2);
  return resolver.resolve(authorityOf({ folder, engine: 'pinnace' }), never);
}

function hello(token: string): Hello {
  return { token, commit: product.commit };
}

async function makeContainer(): Promise<void> {
  const sink = new PassThrough().resume();
  await up(client, {
    folder,
    removeExisting: false,
    noCache: false,
    env: {},
    signal: never,
    say: () => undefined,
    show: () => Promise.resolve({}),
    stdout: sink,
    stderr: sink,
    kit,
  });
}

/** As an editor makes it: the server of its commit is downloaded where it is not there yet. */
async function kitOf(): Promise<Kit> {
  const env = { HOME: dir, XDG_DATA_HOME: join(dir, 'data-home'), XDG_CACHE_HOME: join(dir, 'c') };
  const options = { env, template: '', signal: never, say: () => undefined };
  const server = await provideServer(product, options);
  assert.equal(await provideServer(product, options), server);
  return makeKit(
    {
      server,
      node: join(server, 'node'),
      inside: join(ROOT, 'out', 'inside.js'),
      busybox: '/bin/busybox',
    },
    env,
  );
}

/** Laid out as the archives of VS Code's own servers: one folder with Node in it. */
function serverArchive(): NodeJS.ReadableStream {
  const stage = join(dir, 'stage');
  if (!existsSync(stage)) {
    mkdirSync(join(stage, 'vscode-server-linux-x64'), { recursive: true });
    writeFileSync(join(stage, 'vscode-server-linux-x64', 'node'), readFileSync(HOST_NODE), {
      mode: 0o755,
    });
  }
  const out = new PassThrough();
  // What is large, and not needed for a window to open.
  const skip =
    /\.map$|\/obj\.target\/|\/prebuilds\/|-musl\/|\/@github\/|\/mxc-sdk\/|\/ripgrep-universal\/|\/tree-sitter-wasm\/|\/sqlite3\/deps\/|^\.\/extensions\/./;
  void (async () => {
    // Two archives in a row are one: the first comes without its end.
    await pour(create({ cwd: stage, portable: true }, ['vscode-server-linux-x64']), out, 1024);
    const rest = create(
      {
        cwd: SERVER,
        prefix: 'vscode-server-linux-x64',
        portable: true,
        filter: (path) => !skip.test(path),
      },
      ['.'],
    );
    await pour(rest, out, 0);
    out.end();
  })();
  return out;
}

async function pour(from: AsyncIterable<unknown>, to: PassThrough, without: number): Promise<void> {
  let held = Buffer.alloc(0);
  for await (const chunk of from) {
    const all = Buffer.concat([held, chunk as Buffer]);
    const size = Math.max(0, all.length - without);
    held = all.subarray(size);
    if (size > 0 && !to.write(all.subarray(0, size)))
      await new Promise((resolve) => to.once('drain', resolve));
  }
}

function openListeners(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;
}

function readAll(port: number): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    socket.on('end', () => resolve(text));
  });
}
