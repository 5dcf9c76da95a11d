/** Engines are found where they are, and foreign files and settings do no harm. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findEngines, parseContext, settingEngines } from './entries.ts';

let home: string;
const server = createServer();
before(async () => {
  home = mkdtempSync(join(tmpdir(), 'pinnace-entries-'));
  mkdirSync(join(home, 'podman'));
  await new Promise<void>((resolve) => server.listen(join(home, 'podman', 'podman.sock'), resolve));
});
after(() => {
  server.close();
  rmSync(home, { recursive: true, force: true });
});

function context(id: string, text: string): void {
  const folder = join(home, '.docker', 'contexts', 'meta', id);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'meta.json'), text);
}

test('sockets, contexts, DOCKER_HOST and settings, each address once, the settings first', async () => {
  const docker = (Name: string, Host: string): string =>
    JSON.stringify({ Name, Metadata: {}, Endpoints: { docker: { Host } } });
  context('a', docker('far', 'ssh://me@far'));
  context('b', docker('windows', 'npipe:////./pipe/docker'));
  context('c', '{"broken');
  context('d', docker('safe', 'tcp://safe:2376'));
  mkdirSync(join(home, '.docker', 'contexts', 'tls', 'd', 'docker'), { recursive: true });
  writeFileSync(join(home, '.docker', 'contexts', 'tls', 'd', 'docker', 'ca.pem'), '');
  const found = await findEngines({
    env: { HOME: home, XDG_RUNTIME_DIR: home, DOCKER_HOST: 'tcp://lab:2375' },
    uid: 1,
    setting: [{ name: 'Mine', address: 'ssh://me@far' }],
  });
  const near = found.filter(({ entry }) => !entry.address.startsWith('unix:///'));
  assert.deepEqual(
    near.map(({ entry, own }) => [entry.label, entry.address, own]),
    [
      ['Mine', 'ssh://me@far', true],
      ['DOCKER_HOST', 'tcp://lab:2375', false],
      ['safe', 'tcp://safe:2376', false],
    ],
  );
  assert.match(near[2]?.tls?.ca ?? '', /tls\/d\/docker\/ca\.pem$/);
  const podman = `unix://${home}/podman/podman.sock`;
  assert.equal(found.find(({ entry }) => entry.address === podman)?.entry.kind, 'podman');
});

test('settings of another form are left out', () => {
  assert.deepEqual(settingEngines('x'), []);
  assert.deepEqual(settingEngines([null, 1, {}, { address: 5 }, { name: 'a' }]), []);
  const [one] = settingEngines([{ address: ' tcp://h:1 ', tls: { ca: '/ca', key: 3 } }]);
  assert.deepEqual(one?.entry.label, 'tcp://h:1');
  assert.deepEqual(one.tls, { ca: '/ca' });
});

test('a context that is none is undefined', () => {
  for (const text of ['', 'null', '[]', '{"Name":1}', '{"Name":"a","Endpoints":{}}'])
    assert.equal(parseContext(text), undefined, text);
});
