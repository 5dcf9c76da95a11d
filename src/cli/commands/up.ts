/** `up`: brings up the dev container of a folder. */

import { resolve } from 'node:path';
import { up as bringUp } from '../../client/devcontainer/up.ts';
import type { Register } from '../context.ts';
import { show } from '../output/progress.ts';

interface UpFlags {
  config?: string;
  removeExistingContainer?: boolean;
  cache: boolean;
  json?: boolean;
}

export const up: Register = (program, context) => {
  program
    .command('up')
    .description("build and start a folder's dev container")
    .argument('[folder]', 'the workspace folder', '.')
    .option('--config <file>', 'the devcontainer.json to use')
    .option('--remove-existing-container', 'make it anew')
    .option('--no-cache', 'build its image anew')
    .option('--json', 'answer as JSON')
    .action(async (folder: string, flags: UpFlags) => {
      const client = await context.engine();
      const log = flags.json === true ? context.stderr : context.stdout;
      const result = await bringUp(client, {
        folder: resolve(folder),
        ...(flags.config === undefined ? {} : { config: resolve(flags.config) }),
        removeExisting: flags.removeExistingContainer === true,
        noCache: !flags.cache,
        env: context.env,
        signal: context.signal,
        show: (messages) => show(messages, log, { quiet: false }),
        say: (line) => void log.write(`${line}\n`),
        stdout: log,
        stderr: context.stderr,
      });
      if (flags.json === true) context.stdout.write(`${JSON.stringify(result)}\n`);
      else
        log.write(
          `dev container ${result.containerId.slice(0, 12)} is ${result.outcome}: ${result.remoteWorkspaceFolder} as ${result.remoteUser}\n`,
        );
    });
};
