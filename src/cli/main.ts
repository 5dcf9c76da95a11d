/** Composition root of the `pinnace` command: the program, the table of commands, and how it ends. */

import { Command, CommanderError } from 'commander';
import type { Client } from '../client/api/client.ts';
import { EngineError, kindOf, messageOf } from '../lib/errors.ts';
import { VERSION } from '../lib/version.ts';
import { bridge } from './commands/bridge.ts';
import { build } from './commands/build.ts';
import { cp } from './commands/cp.ts';
import { dialStdio } from './commands/dial-stdio.ts';
import { doctor } from './commands/doctor.ts';
import { engine } from './commands/engine.ts';
import { exec } from './commands/exec.ts';
import { format } from './commands/format.ts';
import { images } from './commands/images.ts';
import { inspect } from './commands/inspect.ts';
import { languageServer } from './commands/language-server.ts';
import { lifecycle } from './commands/lifecycle.ts';
import { lint } from './commands/lint.ts';
import { logs } from './commands/logs.ts';
import { network } from './commands/network.ts';
import { ps } from './commands/ps.ts';
import { run } from './commands/run.ts';
import { ssh } from './commands/ssh.ts';
import { system } from './commands/system.ts';
import { up } from './commands/up.ts';
import { connect, type Context, type Register } from './context.ts';

/** Every command, in the order of the help. */
const COMMANDS: readonly Register[] = [
  run,
  exec,
  ps,
  logs,
  lifecycle,
  build,
  images,
  inspect,
  cp,
  network,
  up,
  engine,
  lint,
  format,
  doctor,
  languageServer,
  dialStdio,
  bridge,
  ssh,
  system,
];

const USAGE_STATUS = 2;
const INTERRUPTED_STATUS = 130;

async function main(): Promise<void> {
  const abort = new AbortController();
  const onInterrupt = (): void => abort.abort(new EngineError('cancelled', 'interrupted'));
  process.once('SIGINT', onInterrupt);
  // A reader such as `head` that has seen enough is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`pinnace: the output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
  const program = new Command('pinnace');
  let client: Promise<Client> | undefined;
  const context: Context = {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signal: abort.signal,
    engine: () => (client ??= connect(program.opts<{ host?: string }>().host, process.env)),
    exit: (status) => {
      process.exitCode = status;
    },
    ownSignals: () => process.off('SIGINT', onInterrupt),
  };
  program
    .description("Pinnace's own container engine and dev containers")
    .version(VERSION, '-v, --version')
    .option(
      '-H, --host <address>',
      'another engine: unix:///path or tcp://host:port (PINNACE_HOST)',
    )
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(see pinnace COMMAND --help)');
  for (const register of COMMANDS) register(program, context);
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync();
  } catch (error) {
    report(error);
  } finally {
    if (client !== undefined) (await client.catch(() => undefined))?.close();
  }
}

function report(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : USAGE_STATUS;
    return;
  }
  process.stderr.write(`pinnace: ${messageOf(error)}\n`);
  const failed = kindOf(error) === 'cancelled' ? INTERRUPTED_STATUS : 1;
  if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = failed;
}

await main();
