/** Tests of where servers come from: found on the machine, downloaded whole, or not at all. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { create } from 'tar';
import { downloadAddress, type Product, readProduct } from './product.ts';
import { findServer, provideServer, serversFolder } from './store.ts';

const COMMIT = 'a'.repeat(40);
const PRODUCT: Product = {
  commit: COMMIT,
  quality: 'stable',
  version: '1.139.1',
  release: '26001',
  serverDataFolder: '.vscode-server',
  downloadTemplate: undefined,
  updateUrl: undefined,
};

let dir: string;
let server: Server;
let base: string;
let archive: Buffer;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let env: Record<string, string>;
let asked: string[];

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pinnace-servers-'));
  archive = await pack(COMMIT);
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

beforeEach(() => {
  asked = [];
  env = { HOME: mkdtempSync(join(dir, 'home-')) };
  answer = (request, response) => {
    if (request.url?.endsWith('.tar.gz') === true) response.end(archive);
    else response.writeHead(404).end();
  };
});

test('the address is the editor’s own, or the one of the setting', () => {
  const microsoft = { ...PRODUCT, updateUrl: 'https://update.code.visualstudio.com' };
  assert.equal(
    downloadAddress(microsoft, 'x64', '').href,
    `https://update.code.visualstudio.com/commit:${COMMIT}/server-linux-x64/stable`,
  );
  const template = 'https://mirror/${version}.${release}/${os}-${arch}-${quality}-${commit}.tar.gz';
  assert.equal(
    downloadAddress({ ...microsoft, downloadTemplate: template }, 'arm', '').href,
    `https://mirror/1.139.1.26001/linux-armhf-stable-${COMMIT}.tar.gz`,
  );
  assert.equal(downloadAddress(microsoft, 'x64', 'http://own/x').href, 'http://own/x');
  assert.throws(() => downloadAddress(PRODUCT, 'x64', ''), /serverDownloadUrl/);
  assert.throws(() => downloadAddress(PRODUCT, 'x64', 'file:///x'), /no address/);
  assert.throws(() => downloadAddress(PRODUCT, 'x64', 'https://x/${nope}'), /no address/);
  assert.throws(() => downloadAddress(PRODUCT, 's390x', 'https://x/'), /s390x/);
});

test('a product without a commit, or with a name that leads elsewhere, is refused', () => {
  const folder = mkdtempSync(join(dir, 'product-'));
  for (const [facts, words] of [
    [{}, /no commit/],
    [{ commit: '../../x' }, /no commit/],
    [{ commit: COMMIT, quality: '../x' }, /no name of a version/],
  ] as const) {
    writeFileSync(join(folder, 'product.json'), JSON.stringify(facts));
    assert.throws(() => readProduct(folder), words);
  }
  assert.throws(() => readProduct(join(folder, 'none')), /cannot be read/);
});

test('a server that another extension keeps is taken, but only of this commit', async () => {
  const place = join(env['HOME'] ?? '', '.vscode-server', 'bin', COMMIT);
  fill(place, 'b'.repeat(40));
  assert.equal(findServer(PRODUCT, env), undefined);
  fill(place, COMMIT);
  assert.equal(await provide(), place);
  assert.deepEqual(asked, []);
});

test('a server is downloaded once, readable for everybody, and kept', async () => {
  const folder = await provide();
  assert.equal(findServer(PRODUCT, env), folder);
  assert.equal(statSync(folder).mode & 0o777, 0o755);
  assert.equal(statSync(join(folder, 'node')).mode & 0o777, 0o755);
  const before = asked.length;
  assert.equal(await provide(), folder);
  assert.equal(asked.length, before);
  assert.deepEqual(readdirSync(serversFolder(env)).length, 1);
});

test('redirects are followed, and the digest on the way is believed', async () => {
  answer = (request, response) => {
    if (request.url === '/first')
      response
        .writeHead(302, { location: '/second', 'x-sha256': digest(Buffer.from('other')) })
        .end();
    else response.end(archive);
  };
  await assert.rejects(provide(`${base}/first`), /has the digest/);
  answer = (request, response) => {
    if (request.url === '/first')
      response.writeHead(302, { location: '/second', 'x-sha256': digest(archive) }).end();
    else response.end(archive);
  };
  assert.ok(existsSync(await provide(`${base}/first`)));
});

test('the digest beside a file is believed', async () => {
  answer = (request, response) => {
    if (request.url?.endsWith('.sha256') === true)
      response.end(`${digest(Buffer.from('other'))}  server.tar.gz\n`);
    else response.end(archive);
  };
  await assert.rejects(provide(), /has the digest/);
  assert.deepEqual(readdirSync(serversFolder(env)), []);
});

test('what is cut short, broken or another commit’s is never used', async () => {
  const cases: [(response: ServerResponse) => void, RegExp][] = [
    [
      (response) => {
        response.writeHead(200, { 'content-length': archive.length });
        response.write(archive.subarray(0, 100), () => response.destroy());
      },
      /could not be had from http:[^]*pinnace\.devcontainer\.serverDownloadUrl/,
    ],
    [(response) => response.end(archive.subarray(0, archive.length / 2)), /archive is broken/],
    [(response) => response.end('<html>Sign in to this network</html>'), /broken|not the VS Code/],
    [(response) => response.writeHead(302, { location: 'ftp://x/' }).end(), /is not followed/],
    [(response) => response.writeHead(302, { location: '/server.tar.gz' }).end(), /in circles/],
    [(response) => response.writeHead(500).end(), /answered 500/],
  ];
  const other = await pack('b'.repeat(40));
  cases.push([(response) => response.end(other), /it is of commit bbb/]);
  for (const [send, words] of cases) {
    answer = (request, response) => {
      if (request.url?.endsWith('.sha256') === true) response.writeHead(404).end();
      else send(response);
    };
    await assert.rejects(provide(), words);
    assert.deepEqual(readdirSync(serversFolder(env)), []);
  }
});

test('without a network the error names the address and the setting', async () => {
  const error = await provide('http://127.0.0.1:1/server.tar.gz').then(
    () => assert.fail('it came from nowhere'),
    (reason: unknown) => String(reason),
  );
  assert.match(error, /http:\/\/127\.0\.0\.1:1\/server\.tar\.gz: connect ECONNREFUSED/);
  assert.match(error, /pinnace\.devcontainer\.serverDownloadUrl/);
});

test('a cancelled download leaves nothing, nor does one whose process was killed', async () => {
  const store = serversFolder(env);
  mkdirSync(join(store, 'new-4194305-x'), { recursive: true });
  const abort = new AbortController();
  answer = (_request, response) => {
    response.writeHead(200, { 'content-length': archive.length });
    response.write(archive.subarray(0, 100), () => abort.abort());
  };
  await assert.rejects(provide(undefined, abort.signal), { kind: 'cancelled' });
  assert.deepEqual(readdirSync(store), []);
});

test('two windows may download at once', async () => {
  const [first, second] = await Promise.all([provide(), provide()]);
  assert.equal(first, second);
  assert.equal(readdirSync(serversFolder(env)).length, 1);
});

function provide(
  template = `${base}/server.tar.gz`,
  signal = new AbortController().signal,
): Promise<string> {
  return provideServer(PRODUCT, { env, template, signal, say: () => undefined });
}

function fill(folder: string, commit: string): void {
  mkdirSync(join(folder, 'out'), { recursive: true });
  writeFileSync(join(folder, 'node'), '', { mode: 0o755 });
  writeFileSync(join(folder, 'out', 'server-main.js'), '// '.padEnd(5000, commit));
  writeFileSync(join(folder, 'product.json'), JSON.stringify({ commit }));
}

async function pack(commit: string): Promise<Buffer> {
  const cwd = mkdtempSync(join(dir, 'pack-'));
  fill(join(cwd, 'vscode-server-linux-x64'), commit);
  const chunks: Buffer[] = [];
  for await (const chunk of create({ cwd, gzip: true }, ['vscode-server-linux-x64']))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

function digest(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
