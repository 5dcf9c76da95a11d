/** Tests of how registries are asked: place after place, with a login where one is wanted, and what is kept of both. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Places } from '../../src/client/registry/places.ts';
import type { RegistryLogin, RegistryOptions } from '../../src/client/registry/session.ts';
import { EngineError, type ErrorKind } from '../../src/lib/errors.ts';
import { Registries } from './registries.ts';

const home = mkdtempSync(join(tmpdir(), 'pinnace-registries-'));
after(() => rmSync(home, { recursive: true, force: true }));

const LOGIN = { username: 'ali', secret: 'open sesame' };

interface Given {
  readonly login?: () => Promise<RegistryLogin | undefined>;
  readonly places?: Places;
}

function registriesWith({ login, places }: Given): {
  readonly registries: Registries;
  readonly failures: unknown[];
  readonly time: { now: number };
} {
  const failures: unknown[] = [];
  const time = { now: 0 };
  const registries = new Registries({
    env: { HOME: home },
    login: login ?? (() => Promise.resolve(undefined)),
    places: () => Promise.resolve(places ?? { mirrors: {}, isInsecure: () => false }),
    failed: (error) => failures.push(error),
    clock: () => time.now,
  });
  return { registries, failures, time };
}

const fails = (kind: ErrorKind, message: string): Promise<never> =>
  Promise.reject(new EngineError(kind, message));

test('an insecure registry is asked at both of its doors, and what the open one says counts', async () => {
  const { registries } = registriesWith({ places: { mirrors: {}, isInsecure: () => true } });
  const bases: unknown[] = [];
  const closedFirst = ({ base }: RegistryOptions): Promise<never> => {
    bases.push(base);
    return base === undefined ? fails('unavailable', 'closed') : fails('not-found', 'none');
  };
  await assert.rejects(registries.ask('lan:5000', closedFirst), /none/);
  assert.deepEqual(bases, [undefined, 'http://lan:5000']);
  const openFirst = ({ base }: RegistryOptions): Promise<never> =>
    base === undefined ? fails('not-found', 'none') : fails('unavailable', 'closed');
  await assert.rejects(registries.ask('lan:5000', openFirst), /none/);
});

test('behind every failure of a mirror stands the registry, which is not asked what a mirror knows', async () => {
  const mirrors = { 'docker.io': ['https://near.example'] };
  const { registries } = registriesWith({ places: { mirrors, isInsecure: () => false } });
  const answer = ({ base }: RegistryOptions): Promise<string> =>
    base === undefined ? Promise.resolve('registry') : fails('not-found', 'none');
  assert.equal(await registries.ask('docker.io', answer), 'registry');
  const where = ({ base = 'registry' }: RegistryOptions): Promise<string> => Promise.resolve(base);
  assert.equal(await registries.ask('docker.io', where), 'https://near.example');
  assert.equal(await registries.askItself('docker.io', where), 'registry');
  const broken = ({ base }: RegistryOptions): Promise<never> =>
    base === undefined ? fails('unauthorized', 'its own') : fails('unavailable', "the mirror's");
  await assert.rejects(registries.ask('docker.io', broken), /its own/);
});

test('a login that is refused is told, and anybody is asked for instead', async () => {
  const { registries, failures } = registriesWith({ login: () => Promise.resolve(LOGIN) });
  const open = async ({ askLogin }: RegistryOptions): Promise<string> =>
    (await askLogin?.()) === undefined ? 'public' : fails('unauthorized', 'refused');
  assert.equal(await registries.ask('ghcr.io', open), 'public');
  assert.match(String(failures), /refused/);
  const shut = async ({ askLogin }: RegistryOptions): Promise<never> =>
    (await askLogin?.()) === undefined ? fails('unauthorized', 'x') : fails('unauthorized', 'y');
  await assert.rejects(registries.ask('ghcr.io', shut), /y/);
});

test('a login is asked for when it is wanted, kept for two minutes, and its failure too', async () => {
  let starts = 0;
  const login = (): Promise<never> => {
    starts += 1;
    return fails('unavailable', 'the helper hangs');
  };
  const { registries, failures, time } = registriesWith({ login });
  await registries.ask('ghcr.io', () => Promise.resolve(1));
  assert.equal(starts, 0);
  const ask = (): Promise<unknown> =>
    registries.ask('ghcr.io', async ({ askLogin }) => askLogin?.());
  for (let turn = 0; turn < 5; turn++) assert.equal(await ask(), undefined);
  assert.equal(starts, 1);
  assert.equal(failures.length, 1);
  time.now = 120_001;
  await ask();
  assert.equal(starts, 2);
  registries.clear();
  await ask();
  assert.equal(starts, 3);
});
