// `npm run test:workbench [-- FILE…]`: packages the extension once and drives it in real workbenches, two at a time.
import { globSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { makeImages } from '../lib/images.ts';
import { ROOT } from '../lib/shell.ts';
import { nodeTests, total, unsteady, type Tally } from '../lib/tests.ts';
import { ensureHost } from '../lib/workbench.ts';

/** Runs the files, or all of test/workbench. */
export async function workbenchTests(files: readonly string[] = []): Promise<Tally> {
  await Promise.all([ensureHost(), makeImages()]);
  const { INSTALLED_VARIABLE, withExtension } = await import('../../test/workbench/package.ts');
  const extension = await withExtension();
  const all = files.length > 0 ? files : globSync('test/workbench/*.test.ts', { cwd: ROOT });
  const measuring = all.filter((file) => basename(file).startsWith('scale'));
  const others = all.filter((file) => !measuring.includes(file));
  const env = { [INSTALLED_VARIABLE]: extension.installed };
  const tallies: Tally[] = [];
  try {
    // A window waits more than it works; those that look at pauses have the machine to themselves.
    if (others.length > 0)
      tallies.push(await nodeTests(others, { concurrency: 2, again: true, env }));
    if (measuring.length > 0)
      tallies.push(await nodeTests(measuring, { concurrency: 1, again: true, env }));
    return total(tallies);
  } finally {
    await extension.release();
  }
}

if (import.meta.main) {
  const named = process.argv.slice(2).map((file) => relative(ROOT, resolve(file)));
  const tally = await workbenchTests(named);
  for (const name of unsteady)
    console.log(`unsteady: ${name} failed, and passed when it ran again`);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}
