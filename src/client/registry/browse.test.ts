/** Tests of what the browser of registries does with logins, of Docker Hub's own API, the order of tags and docker's logins. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { RegistryBrowser } from './browse.ts';
import { dockerHosts, dockerLogin } from './docker-config.ts';
import { Hub } from './hub.ts';
import { sortTags } from './order.ts';

const LOGIN = { username: 'ali', secret: 'open sesame' };
const BASIC = `Basic ${Buffer.from('ali:open sesame').toString('base64')}`;
let home = '';

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pinnace-docker-'));
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | null;
  readonly body: string;
}

/** A fetch that answers by `answers` and notes what it was asked. */
function scripted(answers: (url: URL, seen: Seen) => Response): {
  readonly seen: Seen[];
  readonly fetch: typeof fetch;
} {
  const seen: Seen[] = [];
  return {
    seen,
    fetch: (input, init) => {
      const url = input instanceof Request ? input.url : input.toString();
      const body = init?.body instanceof URLSearchParams ? init.body.toString() : '';
      const authorization = new Headers(init?.headers).get('authorization');
      const call = { method: init?.method ?? 'GET', url, authorization, body };
      seen.push(call);
      return Promise.resolve(answers(new URL(url), call));
    },
  };
}

const json = (value: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(value), { status: 200, headers });
const challenge = (text: string): Response =>
  new Response(null, { status: 401, headers: { 'www-authenticate': text } });

test('a login goes to the challenge only, its token to the registry, and neither along a redirect', async () => {
  const { seen, fetch } = scripted((url, { authorization }) => {
    if (url.host === 'auth.example.com') return json({ token: 't' });
    if (url.host === 'cdn.example.com') return json({ tags: ['x'] });
    if (authorization !== 'Bearer t')
      return challenge('Bearer realm="https://auth.example.com/token",service="reg"');
    return new Response(null, { status: 307, headers: { location: 'https://cdn.example.com/t' } });
  });
  const browser = new RegistryBrowser('reg.example.com', { login: LOGIN, fetch });
  assert.deepEqual((await browser.tags('a/b')).names, ['x']);
  assert.deepEqual(
    seen.map(({ url, authorization }) => `${new URL(url).host} ${String(authorization)}`),
    [
      'reg.example.com null',
      `auth.example.com ${BASIC}`,
      'reg.example.com Bearer t',
      'cdn.example.com null',
    ],
  );
  await browser.tags('a/b');
  assert.equal(seen.length, 6, 'the token is kept');
});

test('a refresh token is sent in a form, and nowhere where that form would be sent on to', async () => {
  const login = { username: '', secret: 'refresh', identity: true };
  const good = scripted((url, { authorization }) => {
    if (url.host === 'auth.example.com') return json({ access_token: 't' });
    return authorization === 'Bearer t'
      ? json({ tags: [] })
      : challenge('Bearer realm="https://auth.example.com/token"');
  });
  await new RegistryBrowser('reg.example.com', { login, fetch: good.fetch }).tags('a');
  assert.match(good.seen[1]?.body ?? '', /grant_type=refresh_token.*refresh_token=refresh/);
  assert.equal(good.seen[1]?.authorization, null);
  const bad = scripted((url) =>
    url.host === 'auth.example.com'
      ? new Response(null, { status: 307, headers: { location: 'https://evil.example.com/' } })
      : challenge('Bearer realm="https://auth.example.com/token"'),
  );
  const browser = new RegistryBrowser('reg.example.com', { login, fetch: bad.fetch });
  await assert.rejects(browser.tags('a'), /sends a login on to evil/);
  assert.equal(bad.seen.length, 2);
});

test('a login never leaves over plain HTTP or to this machine', async () => {
  for (const realm of [
    'http://auth.example.com/token',
    'https://127.0.0.1/token',
    'https://[::1]/',
  ]) {
    const { seen, fetch } = scripted(() => challenge(`Bearer realm="${realm}"`));
    const browser = new RegistryBrowser('reg.example.com', { login: LOGIN, fetch });
    await assert.rejects(browser.tags('a'), /elsewhere/);
    assert.equal(seen.length, 1);
  }
});

test('a registry that is asked too often says when to come back', async () => {
  const { fetch } = scripted(
    () => new Response(null, { status: 429, headers: { 'retry-after': '30' } }),
  );
  const browser = new RegistryBrowser('reg.example.com', { fetch });
  await assert.rejects(browser.tags('a'), /429.*in 30 seconds/);
});

test('names that no registry may have are left out', async () => {
  const names = ['good/name', '../etc', 'UPPER', 7, 'a'.repeat(300), 'x/$(reboot)'];
  const { fetch } = scripted(() => json({ repositories: names }));
  const browser = new RegistryBrowser('reg.example.com', { fetch });
  assert.deepEqual((await browser.repositories()).names, ['good/name']);
});

test("Docker Hub's repositories and tags are read, with a login in exchange for its token", async () => {
  const { seen, fetch } = scripted(({ pathname }) => {
    if (pathname === '/v2/auth/token') return json({ access_token: 'jwt' });
    if (pathname.endsWith('/tags'))
      return json({
        count: 1,
        results: [{ name: '1.0', last_updated: '2026-01-02T03:04:05Z', full_size: 7 }, null],
      });
    const results = [{ name: 'app', is_private: true, pull_count: 3 }, { name: '../x' }];
    return json({ count: 150, next: 'more', results });
  });
  const hub = new Hub({ login: LOGIN, fetch });
  const page = await hub.repositories('ali');
  assert.deepEqual(page, {
    items: [{ name: 'ali/app', description: '', isPrivate: true, pulls: 3, stars: 0 }],
    total: 150,
    next: 2,
  });
  const tags = await hub.tags('ali/app');
  assert.deepEqual(tags.items, [
    { name: '1.0', updated: Date.UTC(2026, 0, 2, 3, 4, 5), size: 7, digest: undefined },
  ]);
  assert.deepEqual(
    seen.map(({ authorization }) => authorization),
    [null, 'Bearer jwt', 'Bearer jwt'],
  );
  await assert.rejects(hub.repositories('../a'), { kind: 'invalid' });
});

test('tags stand latest first, then from the newest version, then by name', () => {
  assert.deepEqual(
    sortTags(['1.9', 'edge', '1.10', 'v2.0', '24', '24.1-slim', 'latest', '1.10-rc1', 'alpha']),
    ['latest', '24', '24.1-slim', 'v2.0', '1.10', '1.10-rc1', '1.9', 'alpha', 'edge'],
  );
});

test("docker's own logins are read, Docker Hub's under its old name", async () => {
  const auth = Buffer.from('ali:open:sesame').toString('base64');
  const auths = {
    'https://index.docker.io/v1/': { auth },
    'ghcr.io': { auth: '', identitytoken: 'token' },
    'empty.example.com': {},
  };
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auths }));
  const env = { DOCKER_CONFIG: home };
  const hub = { username: 'ali', secret: 'open:sesame' };
  assert.deepEqual(await dockerLogin('docker.io', { env }), hub);
  assert.deepEqual(await dockerLogin('ghcr.io', { env }), {
    username: '',
    secret: 'token',
    identity: true,
  });
  assert.equal(await dockerLogin('empty.example.com', { env }), undefined);
  assert.equal(await dockerLogin('other.example.com', { env }), undefined);
  assert.deepEqual(await dockerHosts({ env }), ['docker.io', 'ghcr.io', 'empty.example.com']);
});

test('a credential helper is asked for one host, and its failure quotes nothing of what it said', async () => {
  const helper = join(home, 'docker-credential-cave');
  const answer = '{"Username":"ali","Secret":"open sesame"}';
  writeFileSync(
    helper,
    `#!/bin/sh\nread host\ncase "$host" in ghcr.io) echo '${answer}';; bad.example.com) echo hunter2; exit 1;; *) echo 'credentials not found'; exit 1;; esac\n`,
  );
  chmodSync(helper, 0o755);
  writeFileSync(join(home, 'config.json'), '{"credsStore":"cave"}');
  const env = { DOCKER_CONFIG: home, PATH: `${home}${delimiter}${process.env['PATH'] ?? ''}` };
  assert.deepEqual(await dockerLogin('ghcr.io', { env }), LOGIN);
  assert.equal(await dockerLogin('other.example.com', { env }), undefined);
  const error: unknown = await dockerLogin('bad.example.com', { env }).catch((e: unknown) => e);
  assert.match(String(error), /docker-credential-cave ended with status 1/);
  assert.doesNotMatch(String(error), /hunter2/);
});

test("a broken config.json is an error without a word of it, and a helper's name is no path", async () => {
  const env = { DOCKER_CONFIG: home };
  assert.equal(await dockerLogin('ghcr.io', { env }), undefined);
  writeFileSync(join(home, 'config.json'), '{"auths": secret');
  await assert.rejects(dockerLogin('ghcr.io', { env }), /is no JSON object$/);
  writeFileSync(join(home, 'config.json'), '{"credsStore":"../../evil"}');
  await assert.rejects(dockerLogin('ghcr.io', { env }), { kind: 'invalid' });
});
