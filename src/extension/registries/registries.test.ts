/** Tests of the registries as the user has them: logins, the tree's rows, and the commands with a desk of the test. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from '../commands/desk.ts';
import { fakeDesk, type FakeAnswers } from '../commands/fake-desk.ts';
import { add, addRepository, more, refresh, remove } from '../commands/registries/list.ts';
import { dockerLogins, signIn, signOut } from '../commands/registries/sign-in.ts';
import {
  copyDigest,
  copyReference,
  openInBrowser,
  remove as deleteTag,
} from '../commands/registries/tags.ts';
import type { Node } from '../views/nodes.ts';
import { RegistriesModel } from '../views/registries.ts';
import { Registries } from './registries.ts';

const HOST = 'reg.example.com';
const DIGEST = `sha256:${'d'.repeat(64)}`;
const SECRET = 'open sesame';
const TAG: Node = { kind: 'tag', host: HOST, repository: 'a/b', tag: '1.0' };

/** A registry that wants a login, with a catalog of 150 repositories, and whose tags are `tags`. */
function registry(tags: readonly string[], calls: string[]): typeof fetch {
  const basic = `Basic ${Buffer.from(`ali:${SECRET}`).toString('base64')}`;
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input.toString());
    calls.push(`${init?.method ?? 'GET'} ${url.pathname}`);
    const json = (value: unknown, headers: Record<string, string> = {}): Promise<Response> =>
      Promise.resolve(new Response(JSON.stringify(value), { headers }));
    if (url.host !== HOST) return Promise.reject(new Error('no network'));
    if (new Headers(init?.headers).get('authorization') !== basic)
      return Promise.resolve(
        new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
      );
    if (init?.method === 'DELETE') {
      const status = url.pathname.endsWith(DIGEST) ? 202 : 405;
      return Promise.resolve(new Response(null, { status }));
    }
    if (url.pathname === '/v2/_catalog') {
      const all = Array.from({ length: 150 }, (_, index) => `r${String(index).padStart(3, '0')}`);
      if (url.searchParams.has('last')) return json({ repositories: all.slice(100) });
      const link = { link: '</v2/_catalog?last=r099>; rel="next"' };
      return json({ repositories: all.slice(0, 100) }, link);
    }
    if (url.pathname.endsWith('/tags/list')) return json({ tags });
    return json({}, { 'docker-content-digest': DIGEST });
  };
}

interface Rig {
  readonly registries: Registries;
  readonly secrets: Map<string, string>;
  readonly calls: string[];
  readonly run: (
    command: Command,
    answers?: FakeAnswers,
    targets?: readonly Node[],
    argument?: unknown,
  ) => Promise<readonly string[]>;
  readonly rows: (node?: object) => Promise<string[]>;
}

function rig(tags: readonly string[] = ['1.0', 'latest'], env: Record<string, string> = {}): Rig {
  const secrets = new Map<string, string>();
  const stored = new Map<string, unknown>();
  const calls: string[] = [];
  const registries = new Registries({
    env: { DOCKER_CONFIG: '/nowhere', ...env },
    memory: {
      get: (key) => stored.get(key),
      set: (key, value) => Promise.resolve(void stored.set(key, value)),
    },
    secrets: {
      get: (key) => Promise.resolve(secrets.get(key)),
      store: (key, value) => Promise.resolve(void secrets.set(key, value)),
      delete: (key) => Promise.resolve(void secrets.delete(key)),
    },
    fetch: registry(tags, calls),
  });
  const model = new RegistriesModel(registries);
  return {
    registries,
    secrets,
    calls,
    run: async (command, answers = {}, targets = [], argument) => {
      const desk = { ...fakeDesk(answers), credentials: registries };
      await command.run(desk, targets, argument);
      return desk.journal;
    },
    rows: async (node) =>
      (await model.children(node as Parameters<typeof model.children>[0])).map((child) => {
        const { label, description, context } = model.row(child);
        return `${label}${description === undefined ? '' : ` (${description})`} [${context}]`;
      }),
  };
}

async function signedIn(tags?: readonly string[]): Promise<Rig> {
  const made = rig(tags);
  await made.registries.add(HOST, { username: 'ali', secret: SECRET });
  return made;
}

test('Docker Hub and GHCR stand in a new list, and say what to do', async () => {
  const { rows } = rig();
  assert.deepEqual(await rows(), [
    'Docker Hub (docker.io) [registry anonymous]',
    'GitHub Container Registry (ghcr.io) [registry anonymous]',
  ]);
  assert.match((await rows({ kind: 'registry', host: 'docker.io' })).join(), /^Sign in, or add/);
  assert.match(
    (await rows({ kind: 'registry', host: 'ghcr.io' })).join(),
    /^GitHub lists no packages/,
  );
});

test('a registry is added with the login that it asks for, which the secret store keeps', async () => {
  const { run, rows, secrets, registries } = rig();
  const journal = await run(add, { answers: [`https://${HOST}/`, 'ali', SECRET] });
  assert.doesNotMatch(journal.join(), /sesame/);
  assert.equal((await rows())[2], `${HOST} (signed in: ali) [registry signedIn]`);
  assert.match([...secrets.keys()].join(), /reg\.example\.com/);
  assert.deepEqual(await registries.authFor(`${HOST}/a/b:1`), {
    username: 'ali',
    password: SECRET,
    serveraddress: HOST,
  });
  assert.equal(await registries.authFor('busybox'), undefined);
  await assert.rejects(run(add, { answers: [HOST] }), { kind: 'conflict' });
});

test('a wrong login is not kept', async () => {
  const { run, secrets } = await signedIn();
  await run(signOut, {}, [{ kind: 'registry', host: HOST }]);
  const wrong = run(signIn, { answers: ['ali', 'nope'] }, [{ kind: 'registry', host: HOST }]);
  await assert.rejects(wrong, { kind: 'unauthorized', message: /does not accept the login/ });
  assert.equal(secrets.size, 0);
  await run(signIn, { answers: ['ali', SECRET] }, [{ kind: 'registry', host: HOST }]);
  assert.equal(secrets.size, 1);
  await run(remove, {}, [{ kind: 'registry', host: HOST }]);
  assert.equal(secrets.size, 0);
});

test('repositories are shown page by page, tags sorted', async () => {
  const { run, rows, calls } = await signedIn(['1.9', '1.10', 'latest']);
  const host: Node = { kind: 'registry', host: HOST };
  const first = await rows(host);
  assert.equal(first.length, 101);
  assert.equal(first[100], 'Show More Repositories [more]');
  await run(more, {}, [], { host: HOST });
  const all = await rows(host);
  assert.equal(all.length, 150);
  const tags = await rows({ kind: 'repository', host: HOST, repository: 'r001' });
  assert.deepEqual(tags, ['latest [tag registry]', '1.10 [tag registry]', '1.9 [tag registry]']);
  const before = calls.length;
  await rows(host);
  assert.equal(calls.length, before, 'what was read is kept');
  await run(refresh, {}, [host]);
  await rows(host);
  assert.ok(calls.length > before);
});

test('a registry that cannot be reached is a row that tries again', async () => {
  const { registries, rows } = rig();
  const model = new RegistriesModel(registries);
  await registries.addName('ghcr.io', 'a/b');
  assert.deepEqual(await rows({ kind: 'registry', host: 'ghcr.io' }), ['a/b [repository]']);
  const node = { kind: 'repository', host: 'ghcr.io', repository: 'a/b' } as const;
  const [row] = await model.children(node);
  assert.ok(row !== undefined);
  assert.deepEqual(model.row(row).command, {
    id: 'pinnace.registry.refresh',
    title: 'Try Again',
    arguments: [node],
  });
  assert.match(model.row(row).label, /^Ghcr\.io cannot be reached — click to try again$/);
});

test('signing in and out shows one registry anew, in this window or another, and no more than once', async () => {
  const { registries, secrets, rows } = await signedIn();
  const model = new RegistriesModel(registries);
  const shown: unknown[] = [];
  model.onDidChange((changed) => shown.push(changed === 'all' ? changed : changed.length));
  const [, , node] = await model.children(undefined);
  assert.ok(node !== undefined);
  await model.children(node);
  const key = [...secrets.keys()].join();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  await registries.secretChanged(key);
  await registries.secretChanged('of another extension');
  assert.deepEqual(shown, [], 'the login is the one that is used');
  secrets.delete(key);
  await registries.secretChanged(key);
  await settle();
  assert.deepEqual(shown, [1]);
  assert.equal(model.row(node).description, undefined);
  assert.match((await rows(node)).join(), /wants a login/);
  await registries.signIn(HOST, { username: 'ali', secret: SECRET });
  await settle();
  assert.deepEqual(shown, [1, 1]);
  assert.equal(model.row(node).description, 'signed in: ali');
  await registries.remove(HOST);
  await settle();
  assert.deepEqual(shown, [1, 1, 'all']);
});

test('a repository that is not there is added only when the user insists', async () => {
  const { run, registries } = rig();
  const at: readonly Node[] = [{ kind: 'registry', host: 'ghcr.io' }];
  await run(addRepository, { answers: ['ghcr.io/a/b'] }, at);
  assert.deepEqual(registries.known('ghcr.io')?.names, []);
  await run(addRepository, { answers: ['ghcr.io/a/b'], buttons: ['Add Anyway'] }, at);
  assert.deepEqual(registries.known('ghcr.io')?.names, ['a/b']);
});

test('reference, digest and page of a tag', async () => {
  const { run } = await signedIn();
  assert.deepEqual(await run(copyReference, {}, [TAG]), [`copy ${HOST}/a/b:1.0`]);
  assert.ok((await run(copyDigest, {}, [TAG])).includes(`copy ${DIGEST}`));
  const hub: Node = { kind: 'repository', host: 'docker.io', repository: 'library/debian' };
  assert.deepEqual(await run(openInBrowser, {}, [hub]), ['open https://hub.docker.com/_/debian']);
  const picked = await run(copyReference, { picks: [HOST, 'r001', '1.0'] });
  assert.ok(picked.includes(`copy ${HOST}/r001:1.0`));
});

test('deleting a tag tells which other tags go with it', async () => {
  const { run, calls } = await signedIn(['1.0', '1', 'latest']);
  const journal = await run(deleteTag, { confirms: [true, false] }, [TAG]);
  assert.equal(journal.filter((line) => line.startsWith('confirm')).length, 2);
  assert.ok(!calls.includes(`DELETE /v2/a/b/manifests/${DIGEST}`));
  await run(deleteTag, {}, [TAG]);
  assert.ok(calls.includes(`DELETE /v2/a/b/manifests/${DIGEST}`));
});

test("docker's logins are read only after consent, and are no logins to sign out of", async () => {
  const home = mkdtempSync(join(tmpdir(), 'pinnace-docker-'));
  const auth = Buffer.from('bo:b').toString('base64');
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auths: { 'ghcr.io': { auth } } }));
  const { run, registries, rows } = rig([], { DOCKER_CONFIG: home });
  assert.equal(await registries.account('ghcr.io'), undefined);
  await run(dockerLogins, { confirms: [false] });
  assert.equal(await registries.account('ghcr.io'), undefined);
  await run(dockerLogins);
  assert.equal((await registries.account('ghcr.io'))?.username, 'bo');
  assert.match((await rows()).join(), /ghcr\.io · signed in: bo/);
  await assert.rejects(run(signOut, {}, [{ kind: 'registry', host: 'ghcr.io' }]), /docker logout/);
  await run(dockerLogins);
  assert.equal(await registries.account('ghcr.io'), undefined);
  rmSync(home, { recursive: true });
});
