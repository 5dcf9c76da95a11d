// `npm run check`: everything that needs no container — format, lint, types, import rules, tidiness, unit tests, the Rust side, the build.
import { join } from 'node:path';
import { buildBundles } from '../lib/bundles.ts';
import { buildNative } from '../lib/native.ts';
import { must, ROOT } from '../lib/shell.ts';
import { cargoTests, nodeTests, total, unsteady, type Tally } from '../lib/tests.ts';

const NATIVE = { cwd: join(ROOT, 'native'), output: 'collect' } as const;
const COLLECT = { output: 'collect' } as const;

/** Name and work of each step; the two columns run side by side, one a core. */
const STEPS: Record<'typescript' | 'rust', [string, () => Promise<unknown>][]> = {
  typescript: [
    ['types', () => must('tsc', ['-p', 'tsconfig.json'], COLLECT)],
    ['types of lib', () => must('tsc', ['-p', 'src/lib/tsconfig.json'], COLLECT)],
    [
      'format',
      () =>
        must(
          'prettier',
          ['--check', '--log-level=warn', '--cache', '--cache-location=.cache/prettier', '.'],
          COLLECT,
        ),
    ],
    [
      'import rules',
      () => must('depcruise', ['--output-type=err', 'src', 'language-server'], COLLECT),
    ],
    ['lint', () => must('eslint', ['--cache', '--cache-location=.cache/eslint/', '.'], COLLECT)],
    ['bundles', () => buildBundles()],
  ],
  rust: [
    ['cargo fmt', () => must('cargo', ['fmt', '--check'], NATIVE)],
    ['cargo clippy', () => must('cargo', ['clippy', '--quiet', '--', '-D', 'warnings'], NATIVE)],
    ['native build', buildNative],
  ],
};

async function column(steps: readonly [string, () => Promise<unknown>][]): Promise<string[]> {
  const failures: string[] = [];
  for (const [name, work] of steps) {
    const started = performance.now();
    try {
      await work();
      console.log(`check: ${name} ok, ${((performance.now() - started) / 1000).toFixed(1)} s`);
    } catch (error) {
      console.error(
        `check: ${name} failed: ${error instanceof Error ? error.message : String(error)}`,
      );
      failures.push(name);
    }
  }
  return failures;
}

/** Runs every check; the tally counts unit tests and, as one each, the steps. */
export async function check(): Promise<Tally> {
  const columns = Object.values(STEPS);
  const failures = (await Promise.all(columns.map(column))).flat();
  const steps = columns.flat().length;
  const unit = await nodeTests(
    [
      'src/**/*.test.ts',
      'language-server/**/*.test.ts',
      'scripts/**/*.test.ts',
      'test/tidy/*.test.ts',
    ],
    { concurrency: 2, again: true },
  );
  const rust = await cargoTests();
  return total([{ passed: steps - failures.length, failed: failures.length }, unit, rust]);
}

if (import.meta.main) {
  const tally = await check();
  for (const name of unsteady)
    console.log(`unsteady: ${name} failed, and passed when it ran again`);
  console.log(`${tally.passed} passed, ${tally.failed} failed`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}
