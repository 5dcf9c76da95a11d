/** The registry's reader and browser against Debian's docker-registry on loopback, open and with a login. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { type Registry, startRegistry } from '../../scripts/lib/registry.ts';
import { RegistryBrowser } from '../../src/client/registry/browse.ts';
import { kindOf } from '../../src/lib/errors.ts';
import { command } from '../support/engine.ts';

/** `open sesame`. */
const HTPASSWD = 'ali:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n';
const LOGIN = { username: 'ali', secret: 'open sesame' };
const TAGS = ['1.0', '1.10', '1.9', 'latest'];

const dir = mkdtempSync(join(tmpdir(), 'pinnace-registry-'));
let registry: Registry;

before(async () => {
  await makeImages(['busybox:latest']);
  registry = await startRegistry(dir, undefined, { htpasswd: HTPASSWD });
  for (const name of ['a/one', 'b/two', 'c'])
    for (const tag of name === 'a/one' ? TAGS : ['latest']) {
      const copied = await command([
        ...['skopeo', 'copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false'],
        ...['--dest-creds', `${LOGIN.username}:${LOGIN.secret}`],
        `docker-archive:${archiveOf('busybox:latest')}`,
        `docker://${registry.address}/${name}:${tag}`,
      ]);
      assert.equal(copied.status, 0, copied.stderr);
    }
});

after(async () => {
  await registry.stop();
  rmSync(dir, { recursive: true, force: true });
});

const as = (login: typeof LOGIN | undefined): RegistryBrowser =>
  new RegistryBrowser(registry.address, { login });

test('the login is checked, and a wrong one is told apart from none', async () => {
  await as(LOGIN).check();
  await assert.rejects(as(undefined).check(), /wants a login/);
  const wrong = { username: 'ali', secret: 'open barley' };
  const error: unknown = await as(wrong)
    .check()
    .catch((thrown: unknown) => thrown);
  assert.equal(kindOf(error), 'unauthorized');
  assert.match(String(error), /does not accept the login/);
  assert.doesNotMatch(JSON.stringify(error) + String(error), /barley/);
});

test('the catalog is paged', async () => {
  const browser = as(LOGIN);
  const first = await browser.repositories('/v2/_catalog?n=2');
  assert.deepEqual(first.names, ['a/one', 'b/two']);
  assert.ok(first.next !== undefined);
  const second = await browser.repositories(first.next);
  assert.deepEqual(second, { names: ['c'], next: undefined });
  assert.deepEqual((await browser.repositories()).names, ['a/one', 'b/two', 'c']);
});

test('tags are listed, and one of them is described', async () => {
  const browser = as(LOGIN);
  assert.deepEqual([...(await browser.tags('a/one')).names].sort(), TAGS);
  const image = await browser.image('a/one', '1.0');
  assert.ok(image.size > 100_000);
  assert.equal(await browser.digest('a/one', '1.0'), image.digest);
  await assert.rejects(browser.tags('no/such'), { kind: 'not-found' });
});

test('a registry that deletes by digest says so, and does it with all tags', async () => {
  const browser = as(LOGIN);
  await assert.rejects(browser.removeTag('c', 'latest'), { kind: 'not-implemented' });
  await browser.removeDigest('c', await browser.digest('c', 'latest'));
  await assert.rejects(browser.digest('c', 'latest'), { kind: 'not-found' });
});

test('what is no registry is told', async () => {
  await assert.rejects(new RegistryBrowser('127.0.0.1:1').check(), /cannot be reached/);
  await assert.rejects(async () => new RegistryBrowser('a b').check(), { kind: 'invalid' });
});
