/** One engine to a data root, also across processes, and the lock ends with its holder however that ends. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readHolder, takeLock } from './lock.ts';

test('a second process does not get the lock until the first is killed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-lock-'));
  const program = `import { takeLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
    const lock = takeLock({ dataRoot: process.argv[1], runRoot: process.argv[1] });
    console.log(lock === undefined ? 'refused' : 'taken');
    if (lock !== undefined) setInterval(() => lock.announce({ pid: 1, runRoot: '/', socket: '/s' }), 1000);`;
  const start = (): ReturnType<typeof spawn> =>
    spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program, dir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
  const first = start();
  try {
    assert.equal(await word(first), 'taken');
    assert.equal(await word(start()), 'refused');
    assert.equal(takeLock({ dataRoot: dir, runRoot: join(dir) }), undefined);
    first.kill('SIGKILL');
    await once(first, 'exit');
    const lock = takeLock({ dataRoot: dir, runRoot: dir });
    assert.ok(lock);
    lock.announce({ pid: 7, runRoot: '/r', socket: '/r/s' });
    assert.deepEqual(readHolder(dir), { pid: 7, runRoot: '/r', socket: '/r/s' });
    lock.release();
    assert.equal(readHolder(dir), undefined);
  } finally {
    first.kill('SIGKILL');
    rmSync(dir, { recursive: true });
  }
});

async function word(child: ReturnType<typeof spawn>): Promise<string> {
  assert.ok(child.stdout);
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer];
  return chunk.toString().trim();
}
