/** A socket is noticed when it comes and goes, also where its folder is not there yet. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { watchSocket } from './socket-watch.ts';

async function told(count: () => number, before: number): Promise<void> {
  for (let tries = 0; count() === before; tries += 1) {
    assert.ok(tries < 300, 'nothing was told within 3 s');
    await delay(10);
  }
}

test('the folder may come later, go, and come again', async () => {
  const base = mkdtempSync(join(tmpdir(), 'pinnace-watch-'));
  const folder = join(base, 'run', 'pinnace');
  const path = join(folder, 'engine.sock');
  let count = 0;
  const watch = watchSocket(path, () => (count += 1));
  try {
    for (let round = 0; round < 3; round += 1) {
      let before = count;
      mkdirSync(folder, { recursive: true });
      await told(() => count, before);
      before = count;
      writeFileSync(path, '');
      await told(() => count, before);
      await delay(150);
      before = count;
      rmSync(round === 1 ? folder : join(base, 'run'), { recursive: true });
      await told(() => count, before);
      await delay(150);
    }
    const before = count;
    writeFileSync(join(base, 'other'), '');
    await delay(250);
    assert.equal(count, before);
  } finally {
    watch.dispose();
    rmSync(base, { recursive: true, force: true });
  }
});
