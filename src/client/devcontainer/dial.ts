/** Connections to ports inside a container: by the engine where it can, else by our program inside on standard streams. */
import { Duplex, PassThrough } from 'node:stream';
import type { Writable } from 'node:stream';
import type { Client } from '../api/client.ts';
import { copyRaw, demultiplex } from '../api/streams.ts';
import { KIT } from './kit.ts';

export type Dial = (port: number, signal?: AbortSignal) => Promise<Duplex>;

export interface Reach {
  readonly client: Client;
  readonly container: string;
  /** Whether the engine has Pinnace's own routes. */
  readonly pinnace: boolean;
}

/** Whether the engine has Pinnace's own routes. Throws `unavailable` when it cannot be reached. */
export async function isPinnace(client: Client): Promise<boolean> {
  return (await client.system.pinnaceInfo()) !== undefined;
}

/** Streams to a port of the container's loopback. They reject as the engine or the program inside says. */
export function dialer({ client, container, pinnace }: Reach): Dial {
  if (pinnace)
    return (port, signal) =>
      client.containers.dial(container, port, signal === undefined ? {} : { signal });
  return async (port) => {
    const { stream } = await runJoined(client, container, {
      command: insideCommand('dial', String(port)),
      user: '',
    });
    return stream;
  };
}

/** The command line of our program inside; Node reads it as what its ending says. */
export function insideCommand(...words: string[]): string[] {
  return insideCommandAt(KIT, ...words);
}

/** The same of another folder inside that holds Node and our program. */
export function insideCommandAt(folder: string, ...words: string[]): string[] {
  return [
    `${folder}/node`,
    '--disable-warning=ExperimentalWarning',
    `${folder}/inside.mjs`,
    ...words,
  ];
}

/** Runs a command inside with its standard streams as one duplex; what it says on standard error goes to `complaints`. */
export async function runJoined(
  client: Client,
  container: string,
  how: {
    readonly command: readonly string[];
    readonly user: string;
    readonly env?: readonly string[];
    readonly workdir?: string;
    readonly complaints?: Writable;
  },
): Promise<{ readonly stream: Duplex; readonly exec: string }> {
  const { Id } = await client.containers.execCreate(container, {
    Cmd: [...how.command],
    User: how.user,
    Env: [...(how.env ?? [])],
    ...(how.workdir === undefined ? {} : { WorkingDir: how.workdir }),
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const { socket, multiplexed } = await client.containers.execStart(Id, { tty: false });
  const output = new PassThrough();
  const stderr = how.complaints ?? new PassThrough().resume();
  const copied = multiplexed
    ? demultiplex(socket, { stdout: output, stderr })
    : copyRaw(socket, output);
  copied.then(
    () => output.end(),
    (error: unknown) => output.destroy(error as Error),
  );
  const stream = Duplex.from({ readable: output, writable: socket });
  stream.on('close', () => socket.destroy());
  return { stream, exec: Id };
}
