// Runs test files with Node's own runner and cargo's, and adds up what passed and failed. It must never count a run that did not happen.
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
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
  /**
   * Whether a file that failed runs once more by itself. One that passes then is named as unsteady, with what it said at
   * first: the machine's load must not stop a change, and must not hide a defect either. Never for attacks: an escape that
   * works once has worked.
   */
  readonly again: boolean;
}

/** More failed files than this are no accident. */
const AGAIN_LIMIT = 5;

/** What failed once and then passed; `npm test` names them at its end. */
export const unsteady: string[] = [];

/** Runs the test files that match the patterns, relative to the checkout; none at all is an error. */
export async function nodeTests(
  patterns: readonly string[],
  options: NodeTestOptions,
): Promise<Tally> {
  const files = patterns.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();
  if (files.length === 0) throw new Error(`no test file matches ${patterns.join(' ')}`);
  const first = await runFiles(files, options);
  if (!options.again || first.files.length === 0 || first.files.length > AGAIN_LIMIT) return first;
  let tally: Tally = first;
  for (const file of first.files) {
    const name = relative(ROOT, file);
    console.log(`test: ${name} failed and runs once more`);
    const second = await runFiles([file], { ...options, concurrency: 1 });
    const mended = first.failedIn[file] ?? 0;
    if (second.failed > 0 || second.passed < mended) continue;
    unsteady.push(name);
    tally = { passed: tally.passed + mended, failed: tally.failed - mended };
  }
  return tally;
}

interface Outcome extends Tally {
  readonly files: readonly string[];
  /** Failed tests of each of the files. */
  readonly failedIn: Readonly<Record<string, number>>;
}

async function runFiles(files: readonly string[], options: NodeTestOptions): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-tally-'));
  const counts = join(dir, 'counts');
  try {
    const outcome = await run(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        '--import=./scripts/lib/file-deadline.mjs',
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
    const counted = JSON.parse(readFileSync(counts, 'utf8')) as Omit<Outcome, 'files'>;
    const { passed, failedIn } = counted;
    const crashed = outcome.status !== 0 && counted.failed === 0 ? 1 : 0;
    return { passed, failed: counted.failed + crashed, files: Object.keys(failedIn), failedIn };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs the Rust unit tests; those that fail run once more by themselves, as files do. */
export async function cargoTests(): Promise<Tally> {
  const { tally, names } = await runCargo([]);
  if (names.length === 0) return tally;
  const second = await runCargo(['--', '--exact', ...names]);
  const steady = names.filter((name) => !second.names.includes(name));
  if (second.tally.passed < steady.length) return tally;
  unsteady.push(...steady);
  return { passed: tally.passed + steady.length, failed: tally.failed - steady.length };
}

async function runCargo(
  filter: readonly string[],
): Promise<{ readonly tally: Tally; readonly names: readonly string[] }> {
  const outcome = await run('cargo', ['test', '--quiet', ...filter], {
    cwd: join(ROOT, 'native'),
    output: 'collect',
  });
  const results = [...outcome.output.matchAll(/(\d+) passed; (\d+) failed/g)];
  const tally = total(
    results.map((match) => ({ passed: Number(match[1]), failed: Number(match[2]) })),
  );
  if (outcome.status === 0) return { tally, names: [] };
  process.stdout.write(outcome.output + outcome.errors);
  const names = [...outcome.output.matchAll(/^(\S+) --- FAILED$/gm)].map((match) => match[1] ?? '');
  return { tally: { passed: tally.passed, failed: Math.max(tally.failed, 1) }, names };
}
