/** `logs`: what a container has written. */

import { copyRaw, demultiplex } from '../../client/api/streams.ts';
import type { Register } from '../context.ts';
import { instant } from '../output/instant.ts';

interface LogFlags {
  follow?: boolean;
  timestamps?: boolean;
  tail: string;
  since?: string;
  until?: string;
}

export const logs: Register = (program, context) => {
  program
    .command('logs')
    .description("show a container's output")
    .argument('<container>')
    .option('-f, --follow', 'go on with new output')
    .option('-t, --timestamps', 'show the time of each line')
    .option('-n, --tail <lines>', 'lines from the end', 'all')
    .option('--since <time>', 'RFC 3339, seconds, or a duration such as 10m')
    .option('--until <time>', 'likewise')
    .action(async (container: string, flags: LogFlags) => {
      const client = await context.engine();
      const { stream, multiplexed } = await client.containers.logs(container, {
        stdout: true,
        stderr: true,
        ...(flags.follow === true ? { follow: true } : {}),
        ...(flags.timestamps === true ? { timestamps: true } : {}),
        tail: flags.tail === 'all' ? 'all' : Number(flags.tail),
        ...(flags.since === undefined ? {} : { since: instant(flags.since) }),
        ...(flags.until === undefined ? {} : { until: instant(flags.until) }),
        signal: context.signal,
      });
      const { Config } = await client.containers.inspect(container);
      await (multiplexed || Config.Tty !== true
        ? demultiplex(stream, context)
        : copyRaw(stream, context.stdout));
    });
};
