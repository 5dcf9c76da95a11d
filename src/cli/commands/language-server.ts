/** `language-server`: the Dockerfile language server for any editor, in this process, over standard input and output. */

import { pathToFileURL } from 'node:url';
import { languageServerProgram } from '../../client/engine/program.ts';
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
      // The server finds --stdio among this process's arguments, answers and ends the process itself.
      await import(pathToFileURL(languageServerProgram()).href);
    });
};
