/** Blobs appear whole and verified, or not at all. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBlobs } from './blobs.ts';
import { chainIds, sha256 } from './digest.ts';
import { clearTemporary, makePlaces } from './places.ts';

test('a blob is written, read, adopted, listed and removed; a damaged one is not handed out', async () => {
  const root = mkdtempSync(join(tmpdir(), 'pinnace-blobs-'));
  const places = makePlaces({ dataRoot: join(root, 'data'), runRoot: join(root, 'run') });
  const blobs = openBlobs(places);
  const { digest, size } = await blobs.write('content');
  assert.deepEqual([digest, size], [sha256('content'), 7]);
  assert.equal((await blobs.read(digest)).toString(), 'content');
  const file = join(places.tmpDir, 'made');
  writeFileSync(file, 'adopted');
  await blobs.adopt(file, sha256('adopted'));
  assert.deepEqual((await blobs.all()).sort(), [digest, sha256('adopted')].sort());
  writeFileSync(blobs.path(digest), 'damaged');
  await assert.rejects(blobs.read(digest), { kind: 'internal', message: /damaged on the disk/ });
  await blobs.remove(digest);
  assert.equal(blobs.has(digest), false);
  await assert.rejects(blobs.read(digest), { kind: 'not-found' });
  assert.throws(() => blobs.path('sha256:../../x'), { kind: 'invalid' });
  writeFileSync(join(places.tmpDir, 'left-over'), '');
  await clearTemporary(places);
  assert.deepEqual(readdirSync(places.tmpDir), []);
  rmSync(root, { recursive: true });
});

test('chain ids are those of the image specification', () => {
  const [a, b] = [sha256('a'), sha256('b')];
  assert.deepEqual(chainIds([]), []);
  assert.deepEqual(chainIds([a, b]), [a, sha256(`${a} ${b}`)]);
});
