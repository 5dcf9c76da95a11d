/**
 * An SSH server for one container, on one stream: commands, terminals, SFTP and forwarding become execs and dials of the
 * engine. Theory: SSH carries channels (RFC 4254); each session channel becomes one exec, whose streams are joined with
 * it; forwarded connections become dials. Who holds the other end of the stream has the engine's own rights already, so
 * no key is asked for. It never runs anything on this machine.
 */
import type { Duplex } from 'node:stream';
import ssh2, { type AcceptConnection, type Connection, type ServerChannel } from 'ssh2';
import { messageOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { dialer, insideCommand, runJoined } from '../devcontainer/dial.ts';
import type { Inside } from '../devcontainer/exec.ts';
import { Listening } from './listen.ts';
import { serveSession } from './session.ts';

export interface SshSetup {
  readonly client: Client;
  /** Who works where when the client names no other user. */
  readonly how: Omit<Inside, 'command'>;
  /** User names that mean the container's own user: the one on this machine, which clients send unasked. */
  readonly ownNames: readonly string[];
  readonly hostKey: string;
  /** Whether the engine has Pinnace's own routes. */
  readonly pinnace: boolean;
  /** Makes sure that our program runs inside; for SFTP and what dials cannot do. Throws when it cannot. */
  readonly kit: () => Promise<void>;
  readonly say: (line: string) => void;
}

/** Serves until the stream ends. */
export async function serveSsh(stream: Duplex, setup: SshSetup): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const server = new ssh2.Server({ hostKeys: [setup.hostKey], ident: 'Pinnace' }, (connection) => {
    const ended = new AbortController();
    let user: string | undefined;
    connection.on('authentication', (context) => {
      user = setup.ownNames.includes(context.username) ? undefined : context.username;
      context.accept();
    });
    connection.on('error', (error: Error) => setup.say(error.message));
    connection.on('ready', () => serve({ connection, setup, user, signal: ended.signal }));
    connection.on('close', () => {
      ended.abort();
      resolve(undefined);
    });
  });
  server.on('error', (error: Error) => {
    setup.say(error.message);
    resolve(undefined);
  });
  stream.on('close', () => resolve(undefined));
  // Typed as a socket, used as a duplex.
  (server as unknown as { injectSocket(stream: Duplex): void }).injectSocket(stream);
  await promise;
}

interface Served {
  readonly connection: Connection;
  readonly setup: SshSetup;
  /** Whom the client asked for; undefined: nobody in particular. */
  readonly user: string | undefined;
  readonly signal: AbortSignal;
}

function serve({ connection, setup, user, signal }: Served): void {
  const listening = new Listening(connection, setup);
  connection.on('session', (accept) =>
    serveSession(accept(), { connection, setup, listening, user, signal }),
  );
  connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
    dialInside(setup, destIP, destPort).then(
      (inner) => joinChannel(accept, inner),
      (error: unknown) => {
        setup.say(`${destIP}:${destPort}: ${messageOf(error)}`);
        reject();
      },
    );
  });
  connection.on('openssh.streamlocal', (accept, reject, { socketPath }) => {
    overInside(setup, ['dial', socketPath]).then(
      (inner) => joinChannel(accept, inner),
      () => reject(),
    );
  });
  connection.on('request', (accept, reject, name, info) => {
    listening.request(name, info, { accept, reject });
  });
  signal.addEventListener('abort', () => listening.close(), { once: true });
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '::1', 'ip6-localhost']);

async function dialInside(setup: SshSetup, host: string, port: number): Promise<Duplex> {
  if (LOOPBACK.has(host) && setup.pinnace)
    return dialer({ client: setup.client, container: setup.how.container, pinnace: true })(port);
  return overInside(setup, ['dial', String(port), host]);
}

async function overInside(setup: SshSetup, words: readonly string[]): Promise<Duplex> {
  await setup.kit();
  const { container, user, env } = setup.how;
  const { stream } = await runJoined(setup.client, container, {
    command: insideCommand(...words),
    user,
    env,
  });
  return stream;
}

function joinChannel(accept: AcceptConnection<ServerChannel>, inner: Duplex): void {
  const channel = accept();
  channel.on('error', () => inner.destroy());
  inner.on('error', () => channel.close());
  channel.on('close', () => inner.destroy());
  channel.pipe(inner).pipe(channel);
}
