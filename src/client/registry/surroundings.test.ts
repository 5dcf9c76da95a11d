/** Tests of what lies around a registry on this machine: certificates kept for it, and the places where it is asked. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { certificatesFor } from './certificates.ts';
import { dockerLogin } from './docker-config.ts';
import { NO_PLACES, placesAt, placesIn, placesOf } from './places.ts';
import { RegistrySession } from './session.ts';

const home = mkdtempSync(join(tmpdir(), 'pinnace-surroundings-'));
after(() => rmSync(home, { recursive: true, force: true }));
const env = { HOME: home };

function certificate(kind: 'docker' | 'containers', path: string, text: string): void {
  const file = join(home, '.config', kind, 'certs.d', path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
}

test("a registry's certificates are those of its own folder, docker's and podman's together", async () => {
  certificate('docker', 'lan:5000/ca.crt', 'one');
  certificate('docker', 'lan:5000/me.cert', 'cert');
  certificate('docker', 'lan:5000/me.key', 'key');
  certificate('docker', 'lan:5000/README', 'text');
  certificate('containers', 'lan:5000/b.crt', 'two');
  assert.deepEqual(await certificatesFor('lan:5000', env), {
    authorities: ['one', 'two'],
    client: { cert: 'cert', key: 'key' },
  });
  const none = { authorities: [], client: undefined };
  for (const host of ['lan', 'lan:5001', '..', '../certs.d/lan:5000', 'lan:5000/ca.crt'])
    assert.deepEqual(await certificatesFor(host, env), none, host);
});

test('an empty variable leads nowhere near the folder of the process', async () => {
  certificate('docker', 'empty/ca.crt', 'one');
  mkdirSync(join(home, '.docker'), { recursive: true });
  const auth = Buffer.from('ali:open').toString('base64');
  writeFileSync(join(home, '.docker', 'config.json'), JSON.stringify({ auths: { x: { auth } } }));
  const odd = { HOME: home, XDG_CONFIG_HOME: '.', DOCKER_CONFIG: '' };
  assert.deepEqual((await certificatesFor('empty', odd)).authorities, ['one']);
  assert.deepEqual(await dockerLogin('x', { env: odd }), { username: 'ali', secret: 'open' });
});

test('a certificate without its key is an error that names the file', async () => {
  certificate('docker', 'half/me.key', 'key');
  await assert.rejects(certificatesFor('half', env), {
    kind: 'invalid',
    message: /certs\.d\/half\/me\.key is of no use without me\.cert beside it/,
  });
  certificate('docker', 'folder/ca.crt/x', '');
  await assert.rejects(certificatesFor('folder', env), { kind: 'forbidden' });
});

test('what an engine says of registries is taken where it has the form of it', () => {
  const places = placesIn({
    RegistryConfig: {
      IndexConfigs: {
        'docker.io': { Mirrors: ['http://127.0.0.1:1/', 'ftp://x', 7], Secure: true },
        'lan:5000': { Mirrors: [], Secure: false },
        wrong: null,
      },
      InsecureRegistryCIDRs: ['127.0.0.0/8', '::1/128', '10.1.0.0/16', 'x/8', '1.1.1.1/99'],
    },
  });
  assert.deepEqual(placesOf('docker.io', places), [
    { base: 'http://127.0.0.1:1', mirror: true, insecure: true },
    { base: undefined, mirror: false, insecure: false },
  ]);
  assert.deepEqual(placesOf('lan:5000', places), [
    { base: undefined, mirror: false, insecure: true },
    { base: 'http://lan:5000', mirror: false, insecure: true },
  ]);
  for (const host of ['127.3.2.1:5000', 'localhost:9', '[::1]:5000', '10.1.2.3'])
    assert.ok(places.isInsecure(host), host);
  for (const host of ['lan:5001', '10.2.0.1', 'ghcr.io', '1.1.1.1'])
    assert.ok(!places.isInsecure(host), host);
  for (const info of [undefined, {}, { RegistryConfig: 7 }, { RegistryConfig: { Mirrors: {} } }])
    assert.deepEqual(placesOf('docker.io', placesIn(info)), placesOf('docker.io', NO_PLACES));
});

test('without an engine the settings are those with which ours would start', async () => {
  const none = await placesAt(home, {});
  assert.deepEqual(placesOf('constructor', none), placesOf('constructor', NO_PLACES));
  writeFileSync(join(home, 'config.json'), '{"insecureRegistries":["lan"]}');
  const places = await placesAt(home, { PINNACE_REGISTRY_MIRROR: 'https://near.example/hub' });
  assert.equal(placesOf('docker.io', places)[0]?.base, 'https://near.example/hub');
  assert.ok(places.isInsecure('lan:5000'));
  writeFileSync(join(home, 'config.json'), '{"mirrors":7}');
  await assert.rejects(placesAt(home, {}), /config\.json.*mirrors/);
});

test('a mirror below a path is asked there, also for the next page', async () => {
  const seen: string[] = [];
  const session = new RegistrySession('docker.io', {
    base: 'https://near.example/hub/',
    fetch: (input) => {
      seen.push(input instanceof Request ? input.url : input.toString());
      const link = seen.length === 1 ? '</hub/v2/a/tags/list?n=1&last=b>; rel="next"' : '';
      return Promise.resolve(new Response('{}', { headers: { link } }));
    },
  });
  const subject = { name: 'a', scope: '' };
  const { next } = await session.json('/v2/a/tags/list?n=1', 'application/json', subject);
  assert.equal(next, '/v2/a/tags/list?n=1&last=b');
  await session.json(next, 'application/json', subject);
  assert.deepEqual(
    seen.map((url) => new URL(url).pathname),
    ['/hub/v2/a/tags/list', '/hub/v2/a/tags/list'],
  );
});
