/** Checks volumes on a real database and directory, with a stand-in for the native verbs that remove and count. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Native } from '../runtime/types.ts';
import { openDatabase } from '../storage/database.ts';
import { makePlaces } from '../storage/places.ts';
import { createVolumes, volumeMigrations } from './volumes.ts';
import type { VolumeStore } from './volumes.ts';

const native: Native = {
  path: '',
  call: <T>(verb: readonly string[], request: unknown): Promise<T> => {
    const { dirs } = request as { dirs: string[] };
    if (verb[1] === 'remove') for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
    return Promise.resolve({ bytes: dirs.map(() => 1) } as T);
  },
  stream: () => {
    throw new Error('not used');
  },
};

function open(context: TestContext): { volumes: VolumeStore; dir: string; events: string[] } {
  const root = mkdtempSync(join(tmpdir(), 'pinnace-volumes-'));
  const places = makePlaces({ dataRoot: join(root, 'data'), runRoot: join(root, 'run') });
  const database = openDatabase(places, volumeMigrations);
  context.after(() => {
    database.close();
    rmSync(root, { recursive: true });
  });
  const events: string[] = [];
  const volumes = createVolumes({
    database,
    places,
    native,
    events: { emit: (_type, action, actor) => events.push(`${action} ${actor.ID}`) },
    clock: () => new Date(0),
  });
  return { volumes, dir: places.volumesDir, events };
}

test('a volume is made once, with a directory that every user may enter', async (context) => {
  const { volumes, events } = open(context);
  const made = await volumes.create({ Name: 'data', Labels: { a: 'b' } });
  assert.equal(statSync(made.Mountpoint).mode & 0o777, 0o755);
  assert.deepEqual(await volumes.create({ Name: 'data' }), made);
  assert.deepEqual(events, ['create data']);
  assert.deepEqual(volumes.list(), [made]);
});

test('an anonymous volume gets a long name and goes with a prune', async (context) => {
  const { volumes } = open(context);
  const { Name } = await volumes.create({});
  await volumes.create({ Name: 'kept' });
  assert.match(Name, /^[0-9a-f]{64}$/);
  const pruned = await volumes.prune({ all: false, inUse: new Set() });
  assert.deepEqual(pruned, { VolumesDeleted: [Name], SpaceReclaimed: 1 });
  assert.deepEqual(
    volumes.list().map((volume) => volume.Name),
    ['kept'],
  );
});

test('a volume in use stays, a missing one is not found', async (context) => {
  const { volumes } = open(context);
  await volumes.create({ Name: 'used' });
  volumes.setUsers((name) => (name === 'used' ? ['c1'] : []));
  await assert.rejects(volumes.remove('used', { force: true }), { kind: 'conflict' });
  await assert.rejects(volumes.remove('nope', { force: false }), { kind: 'not-found' });
  await volumes.remove('nope', { force: true });
});

test('hostile names and options are refused', async (context) => {
  const { volumes } = open(context);
  for (const Name of ['..', '../x', 'a/b', '-x', 'x', 'a'.repeat(300)]) {
    await assert.rejects(volumes.create({ Name }), { kind: 'invalid' }, Name);
  }
  const withOptions = (DriverOpts: Record<string, string>) =>
    volumes.create({ Name: 'opts', DriverOpts });
  await assert.rejects(withOptions({ bogus: '1' }), /invalid option/);
  await assert.rejects(withOptions({ type: 'nfs', o: 'addr=x', device: ':/x' }), {
    kind: 'not-implemented',
  });
  await assert.rejects(withOptions({ type: 'none', o: 'bind', device: 'rel' }), /absolute path/);
  await assert.rejects(withOptions({ type: 'none', o: 'bind,shared', device: '/x' }), {
    kind: 'forbidden',
  });
  await assert.rejects(volumes.create({ Name: 'drv', Driver: 'nfs' }), /plugin "nfs" not found/);
});

test('driver options say how a volume is mounted', async (context) => {
  const { volumes } = open(context);
  await volumes.create({
    Name: 'mem',
    DriverOpts: { type: 'tmpfs', o: 'size=1m', device: 'tmpfs' },
  });
  await volumes.create({
    Name: 'there',
    DriverOpts: { type: 'none', o: 'bind,ro', device: '/srv' },
  });
  assert.deepEqual(volumes.source('mem'), { kind: 'tmpfs', options: ['size=1m'] });
  assert.deepEqual(volumes.source('there'), { kind: 'bind', path: '/srv', options: ['ro'] });
});

test('directories without a row go at start-up', async (context) => {
  const { volumes, dir } = open(context);
  await volumes.create({ Name: 'kept' });
  mkdirSync(join(dir, 'orphan', '_data'), { recursive: true });
  await volumes.reconcile();
  assert.ok(!existsSync(join(dir, 'orphan')));
  assert.ok(existsSync(join(dir, 'kept')));
});
