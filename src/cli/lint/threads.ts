/**
 * Lints many files on all processors: threads that take files as they are done with others. ShellCheck's processes are
 * as many already, so with it one thread does the rest.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { lintThreadProgram } from '../../client/engine/program.ts';
import { EngineError, type ErrorKind } from '../../lib/errors.ts';
import { FileLinter, type LintedFile, type LintResult, type LintSettings } from './file-linter.ts';

/** For fewer files than this a thread costs more than it spares. */
const FILES_EACH = 250;
/** Files that a thread is given at once. */
const PORTION = 50;

/** To a thread: files to lint. */
export interface Portion {
  readonly at: number;
  readonly paths: readonly string[];
}

/** From a thread. */
export type Answer =
  | { readonly at: number; readonly result: LintResult }
  | { readonly kind: ErrorKind; readonly message: string };

/** Rejects where the linter does; the other threads end then. */
export async function lintFiles(
  paths: readonly string[],
  settings: LintSettings,
  signal: AbortSignal,
): Promise<LintResult> {
  const most = Math.min(availableParallelism(), Math.floor(paths.length / FILES_EACH));
  if (most < 2 || settings.shellcheck !== undefined)
    return new FileLinter(settings, signal).lintFiles(paths);
  return lintOn(most, paths, { settings, signal });
}

/** As `lintFiles`, on a number of threads. */
export async function lintOn(
  count: number,
  paths: readonly string[],
  { settings, signal }: { readonly settings: LintSettings; readonly signal: AbortSignal },
): Promise<LintResult> {
  if (signal.aborted) throw cancelled();
  const results: LintResult[] = [];
  let next = 0;
  const take = (): Portion | undefined => {
    const at = next++;
    const portion = paths.slice(at * PORTION, (at + 1) * PORTION);
    return portion.length === 0 ? undefined : { at, paths: portion };
  };
  const threads = Array.from(
    { length: count },
    () => new Worker(lintThreadProgram(), { workerData: settings }),
  );
  try {
    await Promise.all(threads.map((thread) => serve(thread, { take, results, signal })));
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
  const reports: LintedFile[] = results.flatMap((result) => result.reports);
  return {
    reports,
    warnings: [...new Set(results.flatMap(({ warnings }) => warnings))],
    failures: results.flatMap(({ failures }) => failures),
    isMisconfigured: results.some(({ isMisconfigured }) => isMisconfigured),
  };
}

/** Gives a thread portions until none is left. */
function serve(
  thread: Worker,
  {
    take,
    results,
    signal,
  }: {
    readonly take: () => Portion | undefined;
    readonly results: LintResult[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = (): void => {
      const portion = take();
      if (portion === undefined) resolve();
      else thread.postMessage(portion);
    };
    thread.on('message', (answer: Answer) => {
      if ('kind' in answer) {
        reject(new EngineError(answer.kind, answer.message));
        return;
      }
      results[answer.at] = answer.result;
      give();
    });
    thread.once('error', reject);
    thread.once('exit', () => {
      reject(new EngineError('internal', 'a thread of the linter has ended by itself'));
    });
    signal.addEventListener('abort', () => {
      reject(cancelled());
    });
    give();
  });
}

function cancelled(): EngineError {
  return new EngineError('cancelled', 'linting was cancelled');
}
