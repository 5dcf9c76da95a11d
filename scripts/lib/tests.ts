// Runs test files with Node's own runner and cargo's, and adds up what passed and failed. It must never count a run that did not happen.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, ROOT } from './shell.ts';

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** Sums tallies. */
export function total(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, one) => ({ passed: sum.passed + one.passed, failed: sum.failed + one.failed }),
    {
      passed: 0,
      failed: 0,
    },
  );
}

export interface NodeTestOptions {
  /** Test files at a time. */
  readonly concurrency: number;
  readonly env?: Record<string, string>;
  /** Milliseconds a single test may take. */
  readonly timeout?: number;
}

/** Runs the test files that match the patterns, relative to the checkout; none at all is an error. */
export async function nodeTests(
  patterns: readonly string[],
  options: NodeTestOptions,
): Promise<Tally> {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();
  if (files.length === 0) throw new Error(`no test file matches ${patterns.join(' ')}`);
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-tally-'));
  const counts = join(dir, 'counts');
  try {
    const outcome = await run(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--test',
        `--test-concurrency=${options.concurrency}`,
        `--test-timeout=${options.timeout ?? 300_000}`,
        '--test-reporter=./scripts/lib/failures-reporter.mjs',
        '--test-reporter-destination=stdout',
        '--test-reporter=./scripts/lib/count-reporter.mjs',
        `--test-reporter-destination=${counts}`,
        ...files,
      ],
      { ...(options.env === undefined ? {} : { env: options.env }) },
    );
    const { passed, failed } = JSON.parse(readFileSync(counts, 'utf8')) as Tally;
    const crashed = outcome.status !== 0 && failed === 0 ? 1 : 0;
    return { passed, failed: failed + crashed };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs the Rust unit tests. */
export async function cargoTests(): Promise<Tally> {
  const outcome = await run('cargo', ['test', '--quiet'], {
    cwd: join(ROOT, 'native'),
    output: 'collect',
  });
  const results = [...outcome.output.matchAll(/(\d+) passed; (\d+) failed/g)];
  const tally = total(
    results.map((match) => ({ passed: Number(match[1]), failed: Number(match[2]) })),
  );
  if (outcome.status !== 0) {
    process.stdout.write(outcome.output + outcome.errors);
    return { passed: tally.passed, failed: Math.max(tally.failed, 1) };
  }
  return tally;
}
