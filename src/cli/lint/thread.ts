/** A thread of the linter: takes portions of files and answers with their reports. */
import { parentPort, workerData } from 'node:worker_threads';
import { kindOf, messageOf } from '../../lib/errors.ts';
import { FileLinter, type LintSettings } from './file-linter.ts';
import type { Answer, Portion } from './threads.ts';

const linter = new FileLinter(workerData as LintSettings, new AbortController().signal);

parentPort?.on('message', ({ at, paths }: Portion) => {
  void linter.lintFiles(paths).then(
    (result) => {
      answer({ at, result });
    },
    (error: unknown) => {
      answer({ kind: kindOf(error), message: messageOf(error) });
    },
  );
});

function answer(message: Answer): void {
  parentPort?.postMessage(message);
}
