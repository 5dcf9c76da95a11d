/** Tests of what the server learns beside the documents: the cache, the build context, the workspace, the images. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Cache } from './cache.ts';
import { contextOf } from './context.ts';
import { ImageKnowledge } from './images.ts';
import { findDockerfiles } from './workspace.ts';

const root = mkdtempSync(join(tmpdir(), 'pinnace-knowledge-'));
after(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text = ''): string {
  const file = join(root, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return pathToFileURL(file).href;
}

test('a look-up answers at once, then with what was found, and asks again when that is stale', async () => {
  let now = 0;
  let calls = 0;
  const cache = new Cache<number>({ fresh: 10, retry: 5, clock: () => now });
  const load = (): Promise<number> => Promise.resolve(++calls);
  assert.deepEqual(cache.get('a', load), { value: undefined, pending: true });
  await delay(0);
  assert.deepEqual(cache.get('a', load), { value: 1, pending: false });
  now = 10;
  assert.deepEqual(cache.get('a', load), { value: 1, pending: false });
  await delay(0);
  assert.deepEqual(cache.get('a', load), { value: 2, pending: false });
});

test('a failure is nothing known, and is tried again later', async () => {
  let now = 0;
  let calls = 0;
  const cache = new Cache<number>({ fresh: 10, retry: 5, clock: () => now });
  const load = (): Promise<number> => {
    calls += 1;
    return Promise.reject(new Error('no'));
  };
  cache.get('a', load);
  await delay(0);
  assert.deepEqual(cache.get('a', load), { value: undefined, pending: false });
  now = 5;
  cache.get('a', load);
  assert.equal(calls, 2);
});

test('a context is the folder of its file and is never left', async () => {
  const uri = write('one/Dockerfile', 'FROM a\n');
  write('one/src/in.txt');
  write('outside.txt');
  write('one/.dockerignore', 'src/out.txt\n');
  symlinkSync('..', join(root, 'one', 'up'));
  const context = contextOf(uri);
  assert.ok(context !== undefined);
  const names = (await context.list('')).map(({ name }) => name).sort();
  assert.deepEqual(names, ['.dockerignore', 'Dockerfile', 'src', 'up']);
  assert.deepEqual(await context.list('src'), [{ name: 'in.txt', isDirectory: false }]);
  for (const path of ['..', 'up', '../one/../..', 'none'])
    assert.deepEqual(await context.list(path), []);
  assert.equal((await context.ignored())?.matches('src/out.txt'), true);
  const folder = await context.folder();
  assert.match(context.find('src/in.txt', folder) ?? '', /in\.txt$/);
  for (const path of ['../outside.txt', 'src', 'none', '/etc/passwd'])
    assert.equal(context.find(path, folder), undefined);
  write('one/Dockerfile.dockerignore', 'other\n');
  assert.equal((await contextOf(uri)?.ignored())?.matches('src/out.txt'), false);
  assert.equal(contextOf('untitled:Dockerfile'), undefined);
  assert.equal(contextOf('file://host/Dockerfile'), undefined);
});

test('a devcontainer.json beside the file names its context', async () => {
  const uri = write('two/.devcontainer/Dockerfile', 'FROM a\n');
  write(
    'two/.devcontainer/devcontainer.json',
    '{ /* c */ "build": { "dockerfile": "Dockerfile", "context": ".." } }',
  );
  write('two/app.js');
  const names = (await contextOf(uri)?.list(''))?.map(({ name }) => name);
  assert.ok(names?.includes('app.js'));
});

test('the Dockerfiles of the workspace are found, those of dependencies are not', async () => {
  write('three/Dockerfile', 'FROM a AS x\n');
  write('three/deep/web.Dockerfile', 'FROM b\n');
  write('three/node_modules/p/Dockerfile', 'FROM c\n');
  write('three/Containerfile.prod', 'FROM d\nFROM e\n');
  for (const name of ['Dockerfile.dockerignore', 'Dockerfile.md', 'Dockerfile~', 'MyDockerfile'])
    write(`three/${name}`, 'FROM f\n');
  const found: string[] = [];
  const folder = pathToFileURL(join(root, 'three')).href;
  for await (const { uri, file } of findDockerfiles([folder, 'untitled:x'], () => false))
    found.push(`${uri.slice(folder.length)} ${String(file.stages.length)}`);
  assert.deepEqual(found.sort(), [
    '/Containerfile.prod 2',
    '/Dockerfile 1',
    '/deep/web.Dockerfile 1',
  ]);
});

test('nothing is asked without permission', async () => {
  let asked = 0;
  const server = createServer((_, answer) => {
    asked += 1;
    answer.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const permissions = { engine: false, registry: false, socket: '' };
  const images = new ImageKnowledge(() => permissions);
  const name = `127.0.0.1:${String(address.port)}/a`;
  const reference = {
    domain: `127.0.0.1:${String(address.port)}`,
    path: 'a',
    tag: undefined,
    digest: undefined,
  };
  assert.deepEqual(images.tags(reference), { value: undefined, pending: false });
  assert.deepEqual(images.describe(name), { value: undefined, pending: false });
  assert.deepEqual(images.local(), { value: undefined, pending: false });
  assert.equal(asked, 0);
  server.closeAllConnections();
  server.close();
});

test("an engine's images are listed and described through its socket", async () => {
  const socket = join(root, 'engine.sock');
  const server = createServer(({ url = '' }, answer) => {
    answer.setHeader('Api-Version', '1.51');
    if (url.endsWith('/_ping')) answer.end('OK');
    else if (url.includes('/images/json'))
      answer.end(
        JSON.stringify([{ RepoTags: ['b:1', 'docker.io/library/a:2'] }, { RepoTags: null }]),
      );
    else
      answer.end(
        JSON.stringify({
          Os: 'linux',
          Architecture: 'amd64',
          Size: 5,
          Created: '2026',
          Config: { Env: ['A=1'], User: 'me' },
        }),
      );
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const images = new ImageKnowledge(() => ({ engine: true, registry: false, socket }));
  assert.equal(images.local().pending, true);
  assert.equal(images.describe('b:1').pending, true);
  for (
    let turn = 0;
    turn < 100 && (images.local().pending || images.describe('b:1').pending);
    turn++
  )
    await delay(10);
  assert.deepEqual(images.local().value, ['a:2', 'b:1']);
  assert.equal(images.describe('b:1').value?.user, 'me');
  server.closeAllConnections();
  server.close();
});

test("a registry is asked at the mirror that the engine's settings name, and with no login", async () => {
  const socket = join(root, 'settings.sock');
  const seen: (string | undefined)[] = [];
  const mirror = createServer(({ headers }, answer) => {
    seen.push(headers.authorization);
    answer.end(JSON.stringify({ tags: ['7'] }));
  });
  await new Promise<void>((resolve) => mirror.listen(0, '127.0.0.1', resolve));
  const address = mirror.address();
  assert.ok(typeof address === 'object' && address !== null);
  const base = `http://127.0.0.1:${String(address.port)}/`;
  const index = { 'reg.test': { Name: 'reg.test', Mirrors: [base], Secure: true } };
  const engine = createServer(({ url = '' }, answer) => {
    answer.setHeader('Api-Version', '1.51');
    if (url.endsWith('/_ping')) answer.end('OK');
    else answer.end(JSON.stringify({ RegistryConfig: { IndexConfigs: index } }));
  });
  await new Promise<void>((resolve) => engine.listen(socket, resolve));
  const images = new ImageKnowledge(
    () => ({ engine: true, registry: true, socket }),
    () => Promise.resolve({ username: 'ali', secret: 'open sesame' }),
  );
  const reference = { domain: 'reg.test', path: 'a', tag: undefined, digest: undefined };
  for (let turn = 0; turn < 100 && images.tags(reference).value === undefined; turn++)
    await delay(10);
  assert.deepEqual(images.tags(reference).value, ['7']);
  assert.deepEqual(seen, [undefined]);
  for (const server of [mirror, engine]) {
    server.closeAllConnections();
    server.close();
  }
});
