/** `language-server`: the Dockerfile language server for any editor, in this process, over standard input and output. */

import { pathToFileURL } from 'node:url';
import { languageServerProgram } from '../../client/engine/program.ts';
import { LANGUAGE_SERVER_FLAGS } from '../../client/lint/server-flags.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Register } from '../context.ts';

export const languageServer: Register = (program, context) => {
  program
    .command('language-server')
    .description('the Dockerfile language server, for any editor that speaks LSP')
    .option('--stdio', 'speak over standard input and output')
    .action(async (flags: { stdio?: boolean }) => {
      if (flags.stdio !== true)
        throw new EngineError('invalid', 'say how to speak: pinnace language-server --stdio');
      context.ownSignals();
      const program = languageServerProgram();
      become(program);
      // The server finds --stdio among this process's arguments, answers and ends the process itself.
      await import(pathToFileURL(program).href);
    });
};

/** Replaces this process by the server's, with its own heap; returns where that cannot be done (Windows, Electron). */
function become(program: string): void {
  if (process.platform === 'win32' || process.versions['electron'] !== undefined) return;
  process.execve?.(process.execPath, [
    process.execPath,
    ...LANGUAGE_SERVER_FLAGS,
    '--disable-warning=ExperimentalWarning',
    program,
    '--stdio',
  ]);
}
