// `npm run test:workbench [-- FILE…]`: packages the extension once and drives it in a real workbench, one file after the other.
import { relative, resolve } from 'node:path';
import { makeImages } from '../lib/images.ts';
import { ROOT } from '../lib/shell.ts';
import { nodeTests, unsteady, type Tally } from '../lib/tests.ts';
import { ensureHost } from '../lib/workbench.ts';

/** Runs the files, or all of test/workbench. */
export async function workbenchTests(files: readonly string[] = []): Promise<Tally> {
  await Promise.all([ensureHost(), makeImages()]);
  const { INSTALLED_VARIABLE, withExtension } = await import('../../test/workbench/package.ts');
  const extension = await withExtension();
  const patterns = files.length > 0 ? files : ['test/workbench/*.test.ts'];
  try {
    return await nodeTests(patterns, {
      concurrency: 1,
      again: true,
      env: { [INSTALLED_VARIABLE]: extension.installed },
    });
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
