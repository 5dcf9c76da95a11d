// `npm test`: every test there is. Installs what is missing, checks, builds, then runs the suites that cross a process, and closes with `N passed, N failed`.
import { ensurePackages } from '../lib/debian.ts';
import { makeImages } from '../lib/images.ts';
import { messageOf } from '../../src/lib/errors.ts';
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
    const options = { concurrency, again: suite !== 'security' };
    await judge(suite, () => nodeTests([`test/${suite}/**/*.test.ts`], options));
  }
  await judge('workbench', workbenchTests);
  return total(tallies);

  /** A suite that cannot even begin counts as one failure, and the others still run. */
  async function judge(suite: string, work: () => Promise<Tally>): Promise<void> {
    if (only.length > 0 && !only.includes(suite)) return;
    console.log(`test: ${suite}`);
    try {
      tallies.push(await work());
    } catch (error) {
      console.error(`test: ${suite} did not run: ${messageOf(error)}`);
      tallies.push({ passed: 0, failed: 1 });
    }
  }
}

const tally = await main();
for (const name of unsteady) console.log(`unsteady: ${name} failed, and passed when it ran again`);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 ? 0 : 1;
