// `npm test`: every test there is. Installs what is missing, checks, builds, then runs the suites that cross a process, and closes with `N passed, N failed`.
import { ensurePackages } from '../lib/debian.ts';
import { makeImages } from '../lib/images.ts';
import { nodeTests, total, unsteady, type Tally } from '../lib/tests.ts';
import { check } from './check.ts';
import { workbenchTests } from './test-workbench.ts';

/** Folder of test/ → how many of its files run at a time. Suites that measure or count what is on the machine run alone. */
const SUITES: Record<string, number> = {
  native: 2,
  contracts: 1,
  lsp: 2,
  api: 1,
  security: 1,
  package: 1,
};

async function main(): Promise<Tally> {
  const only = process.argv.slice(2);
  await ensurePackages();
  const images = makeImages();
  const tallies: Tally[] = [];
  if (only.length === 0) tallies.push(await check());
  await images;
  for (const [suite, concurrency] of Object.entries(SUITES)) {
    if (only.length > 0 && !only.includes(suite)) continue;
    console.log(`test: ${suite}`);
    tallies.push(
      await nodeTests([`test/${suite}/**/*.test.ts`], { concurrency, again: suite !== 'security' }),
    );
  }
  if (only.length === 0 || only.includes('workbench')) {
    console.log('test: workbench');
    tallies.push(await workbenchTests());
  }
  return total(tallies);
}

const tally = await main();
for (const name of unsteady) console.log(`unsteady: ${name} failed, and passed when it ran again`);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
