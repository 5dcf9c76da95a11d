/** `start`, `stop`, `rm` and `kill`: one action on several containers; every name is tried, every failure told. */

import type { Client } from '../../client/api/client.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Context, Register } from '../context.ts';
import { join } from '../terminal.ts';

/** Runs `action` on each name, prints it when done, and ends with status 1 if any failed. */
export async function each(
  names: readonly string[],
  context: Context,
  action: (name: string) => Promise<unknown>,
): Promise<void> {
  for (const name of names) {
    try {
      await action(name);
      context.stdout.write(`${name}\n`);
    } catch (error) {
      context.stderr.write(`Error response from daemon: ${messageOf(error)}\n`);
      context.exit(1);
    }
  }
}

export const lifecycle: Register = (program, context) => {
  program
    .command('start')
    .description('start stopped containers')
    .argument('<containers...>')
    .option('-a, --attach', 'join the output, pass signals on')
    .option('-i, --interactive', 'join standard input')
    .action(async (names: string[], flags: { attach?: boolean; interactive?: boolean }) => {
      const client = await context.engine();
      const [first] = names;
      if ((flags.attach === true || flags.interactive === true) && first !== undefined) {
        await startAttached(client, first, { stdin: flags.interactive === true }, context);
        return;
      }
      await each(names, context, (name) => client.containers.start(name));
    });
  program
    .command('stop')
    .description('stop running containers')
    .argument('<containers...>')
    .option('-t, --timeout <seconds>', 'time before they are killed')
    .option('--time <seconds>', 'the same')
    .option('-s, --signal <signal>', 'signal to send')
    .action(
      async (names: string[], flags: { timeout?: string; time?: string; signal?: string }) => {
        const client = await context.engine();
        const seconds = flags.timeout ?? flags.time;
        await each(names, context, (name) =>
          client.containers.stop(name, {
            ...(seconds === undefined ? {} : { timeout: Number(seconds) }),
            ...(flags.signal === undefined ? {} : { stopSignal: flags.signal }),
          }),
        );
      },
    );
  program
    .command('kill')
    .description('send a signal to running containers')
    .argument('<containers...>')
    .option('-s, --signal <signal>', 'signal to send', 'KILL')
    .action(async (names: string[], flags: { signal: string }) => {
      const client = await context.engine();
      await each(names, context, (name) => client.containers.kill(name, flags.signal));
    });
  program
    .command('rm')
    .description('remove containers')
    .argument('<containers...>')
    .option('-f, --force', 'kill them first')
    .option('-v, --volumes', 'with their anonymous volumes')
    .action(async (names: string[], flags: { force?: boolean; volumes?: boolean }) => {
      const client = await context.engine();
      await each(names, context, (name) =>
        client.containers.remove(name, {
          force: flags.force === true,
          volumes: flags.volumes === true,
        }),
      );
    });
};

async function startAttached(
  client: Client,
  name: string,
  options: { stdin: boolean },
  context: Context,
): Promise<void> {
  const { Id, Config } = await client.containers.inspect(name);
  const attached = await client.containers.attach(Id, {
    stdin: options.stdin,
    stdout: true,
    stderr: true,
  });
  const { result } = await client.containers.wait(Id, 'next-exit');
  const joined = join(
    attached,
    {
      tty: Config.Tty === true,
      stdin: options.stdin,
      resize: (size) => client.containers.resize(Id, size),
    },
    context,
  );
  joined.catch(() => undefined);
  await client.containers.start(Id);
  if ((await joined) === 'ended') context.exit((await result).StatusCode);
}
