/** What every command is given: the streams, the way to the engine, and the end of it all. It is made once, in main.ts. */

import type { Command } from 'commander';
import { parseAddress } from '../client/api/addresses.ts';
import { createClient, type Client } from '../client/api/client.ts';
import { startEngine } from '../client/engine/start.ts';

export interface Context {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted by the first SIGINT, unless a command handles signals itself. */
  readonly signal: AbortSignal;
  /** The client of the engine, which is started when none runs. */
  engine(): Promise<Client>;
  /** The exit status of the process; 0 unless set. */
  exit(status: number): void;
  /** Signals now belong to the command: SIGINT no longer aborts. */
  ownSignals(): void;
}

/** Adds one command (or a few that belong together) to the program. */
export type Register = (program: Command, context: Context) => void;

/** Where the engine is: `--host`, PINNACE_HOST, or the one of the data and run roots. */
export async function connect(host: string | undefined, env: NodeJS.ProcessEnv): Promise<Client> {
  const address = host ?? env['PINNACE_HOST'];
  if (address !== undefined && address !== '') {
    const client = createClient(parseAddress(address));
    await client.negotiate();
    return client;
  }
  const { socket } = await startEngine({ env });
  return createClient({ socketPath: socket });
}
