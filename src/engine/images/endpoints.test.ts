/** Where registries are reached, where they may send us, and the settings' form. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRegistryConfig } from './config.ts';
import { checkTarget, endpointsOf, guardedLookup, isLoopback } from './endpoints.ts';

const none = { mirrors: {}, insecure: [] };
const remote = { base: 'https://registry.example', mirror: false, insecure: false };

test('mirrors come first, and only named or loopback registries are asked in plain HTTP', () => {
  const bases = (domain: string, config = none): string[] =>
    endpointsOf(domain, config).map((one) => one.base);
  assert.deepEqual(bases('docker.io'), ['https://registry-1.docker.io']);
  assert.deepEqual(bases('ghcr.io'), ['https://ghcr.io']);
  assert.deepEqual(bases('localhost:5000'), ['https://localhost:5000', 'http://localhost:5000']);
  assert.deepEqual(bases('127.3.2.1'), ['https://127.3.2.1', 'http://127.3.2.1']);
  assert.deepEqual(
    endpointsOf('docker.io', {
      mirrors: { 'docker.io': ['http://127.0.0.1:5000'] },
      insecure: [],
    }).map((one) => one.base),
    ['http://127.0.0.1:5000', 'https://registry-1.docker.io'],
  );
  assert.equal(endpointsOf('lan:5000', { mirrors: {}, insecure: ['lan:5000'] }).length, 2);
});

test('this machine is recognised under all its names', () => {
  for (const host of [
    'localhost',
    'LOCALHOST',
    'a.localhost',
    '127.0.0.1',
    '127.255.0.1',
    '[::1]',
    '::ffff:127.0.0.1',
    '0.0.0.0',
    '169.254.169.254',
  ]) {
    assert.equal(isLoopback(host), true, host);
  }
  for (const host of ['example.com', '10.0.0.1', '128.0.0.1', '::2'])
    assert.equal(isLoopback(host), false, host);
});

const refused = [
  'file:///etc/passwd',
  'unix:///run/x.sock',
  'ftp://x/y',
  'http://other.example/',
  'https://127.0.0.1/',
  'https://localhost:2375/',
  'https://[::1]/',
  'https://169.254.169.254/latest',
];
for (const target of refused) {
  test(`a remote registry may not send us to ${target}`, () => {
    assert.throws(() => checkTarget(remote, new URL(target)), { kind: 'forbidden' });
  });
}

test('it may send us to another host over TLS, and a local one to this machine', () => {
  checkTarget(remote, new URL('https://cdn.example/x'));
  checkTarget(
    { base: 'http://127.0.0.1:5000', mirror: true, insecure: true },
    new URL('http://localhost:6000/x'),
  );
});

test('a name that leads to this machine does not resolve for a remote registry', async () => {
  const error = await new Promise((resolve) => {
    guardedLookup('localhost', { all: true }, (found) => resolve(found));
  });
  assert.match(String(error), /address of this machine/);
});

test('settings come from the variable first, then from the file, and wrong ones are named', () => {
  const root = mkdtempSync(join(tmpdir(), 'pinnace-config-'));
  assert.deepEqual(readRegistryConfig({}, root), none);
  const file = join(root, 'config.json');
  writeFileSync(
    file,
    '{"mirrors":{"docker.io":["https://b.example/"]},"insecureRegistries":["lan:5000"]}',
  );
  const env = { PINNACE_REGISTRY_MIRROR: 'http://127.0.0.1:1, ghcr.io=http://127.0.0.1:2' };
  assert.deepEqual(readRegistryConfig(env, root), {
    mirrors: {
      'docker.io': ['http://127.0.0.1:1', 'https://b.example'],
      'ghcr.io': ['http://127.0.0.1:2'],
    },
    insecure: ['lan:5000'],
  });
  assert.throws(() => readRegistryConfig({ PINNACE_REGISTRY_MIRROR: 'ftp://x' }, root), {
    message: /PINNACE_REGISTRY_MIRROR.*ftp/,
  });
  for (const text of [
    '{"mirrors":[]}',
    '{"mirrors":{"a":"b"}}',
    '{"insecureRegistries":1}',
    'nonsense',
  ]) {
    writeFileSync(file, text);
    assert.throws(() => readRegistryConfig({}, root), { kind: 'invalid', message: /config\.json/ });
  }
  rmSync(root, { recursive: true });
});
