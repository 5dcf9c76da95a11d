/** What must not leave anything behind: an engine killed in the middle of a pull, a full disk, a bomb. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { clearTemporary } from '../../src/engine/storage/places.ts';
import { EngineError } from '../../src/lib/errors.ts';
import { end } from '../support/children.ts';
import { ROOT, command } from '../support/engine.ts';
import {
  assertTidy,
  makeConfig,
  makeLayer,
  makeTar,
  openRig,
  streamOf,
} from '../support/image-rig.ts';
import { startLyingRegistry } from '../support/lying-registry.ts';
import { until } from '../support/traces.ts';

const never = new AbortController().signal;

/** Helpers that still work beneath a root. */
function helpersIn(root: string): string[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((path) => {
    try {
      const line = readFileSync(path, 'utf8');
      return line.includes('unpack') && line.includes(root) ? [line] : [];
    } catch {
      return [];
    }
  });
}

test(
  'an engine killed in the middle of a pull leaves nothing that the next start does not clear',
  { timeout: 180_000 },
  async (t) => {
    const registry = await startLyingRegistry();
    t.after(() => registry.close());
    const root = mkdtempSync(join(tmpdir(), 'pinnace-killed-'));
    const noise = await makeLayer({ noise: randomBytes(3_000_000).toString('base64') });
    registry.publish('app', '1', { config: JSON.stringify(makeConfig([noise])), layers: [noise] });
    registry.lie = (request, response) => {
      if (request.url?.endsWith(noise.digest) !== true) return false;
      response.writeHead(200, { 'content-length': noise.gzip.length });
      return response.write(noise.gzip.subarray(0, 2_000_000)) || true;
    };
    const program = join(ROOT, 'test/support/pull-forever.ts');
    const engine = spawn(process.execPath, [program, root, `${registry.address}/app:1`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(engine.stdout, 'data');
    await until('the helper unpacks', () => helpersIn(root).length === 1);
    await end(engine);
    await until('the helper ends with its engine', () => helpersIn(root).length === 0);
    const rig = await openRig({ root });
    await clearTemporary(rig.places);
    assert.deepEqual(rig.images.list(), []);
    await assertTidy(rig);
    assert.deepEqual(readdirSync(rig.places.snapshotsDir), []);
    await rig.close();
  },
);

test('a full disk is an error that says so and leaves nothing', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pinnace-full-'));
  const mounted = await command(['mount', '-t', 'tmpfs', '-o', 'size=6m,mode=0700', 'tmpfs', root]);
  assert.equal(mounted.status, 0, `this test needs to be root: ${mounted.stderr}`);
  try {
    const rig = await openRig({ root });
    const big = await makeTar({ noise: randomBytes(12_000_000).toString('latin1') });
    await assert.rejects(
      rig.snapshots.importLayer(streamOf(gzipSync(big)), { parent: null, signal: never }),
      (error) =>
        error instanceof EngineError && /space|ENOSPC|limit|more than/i.test(error.message),
    );
    const small = await makeLayer({ file: 'fits' });
    await rig.snapshots.importLayer(streamOf(small.gzip), { parent: null, signal: never });
    await rig.images.create(makeConfig([small]), { tags: ['small:1'] });
    await assertTidy(rig);
    await rig.snapshots.close();
    rig.crash();
  } finally {
    assert.equal((await command(['umount', root])).status, 0);
    rmSync(root, { recursive: true });
  }
});

test('a layer that grows a thousandfold ends at the free space, not in a full disk', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pinnace-bomb-'));
  const mounted = await command([
    'mount',
    '-t',
    'tmpfs',
    '-o',
    'size=32m,mode=0700',
    'tmpfs',
    root,
  ]);
  assert.equal(mounted.status, 0, `this test needs to be root: ${mounted.stderr}`);
  try {
    const rig = await openRig({ root });
    const bomb = gzipSync(await makeTar({ zeros: { size: 200_000_000 } }));
    await assert.rejects(
      rig.snapshots.importLayer(streamOf(bomb), { parent: null, signal: never }),
      (error) => error instanceof EngineError && error.message.length > 10,
    );
    await assertTidy(rig);
    await rig.snapshots.close();
    rig.crash();
  } finally {
    assert.equal((await command(['umount', root])).status, 0);
    rmSync(root, { recursive: true });
  }
});
