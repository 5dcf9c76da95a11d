/** Listeners inside the container whose connections go to the SSH client: remote forwarding and the agent's socket. */
import type { Duplex } from 'node:stream';
import type { Connection, ServerChannel } from 'ssh2';
import { messageOf } from '../../lib/errors.ts';
import { insideCommand, runJoined } from '../devcontainer/dial.ts';
import { Frames } from '../devcontainer/frames.ts';
import type { SshSetup } from './server.ts';

type Opened = (error: Error | undefined, channel: ServerChannel) => void;

/** The library knows the agent's channel (draft-ietf-sshm-ssh-agent) in its protocol, but offers no call for it; its version is pinned. */
interface Internals {
  readonly _chanMgr: { add(opened: Opened & { type?: string }): number };
  readonly _protocol: {
    openssh_authAgent(channel: number, window: number, packet: number): void;
  };
}

const WINDOW = 2 * 1024 * 1024;
const PACKET = 32 * 1024;

function openAgent(connection: Connection, opened: Opened): void {
  const { _chanMgr, _protocol } = connection as unknown as Internals;
  const wrapper: Opened & { type?: string } = (error, channel) => opened(error, channel);
  wrapper.type = 'auth-agent@openssh.com';
  const channel = _chanMgr.add(wrapper);
  if (channel === -1) throw new Error('no free channel for the agent');
  _protocol.openssh_authAgent(channel, WINDOW, PACKET);
}

interface Answer {
  readonly accept: ((port?: number) => void) | undefined;
  readonly reject: (() => void) | undefined;
}

export class Listening {
  private readonly connection: Connection;
  private readonly setup: SshSetup;
  private readonly streams = new Map<string, Duplex>();
  private readonly pending: Promise<unknown>[] = [];
  private agentPath: Promise<string> | undefined;

  constructor(connection: Connection, setup: SshSetup) {
    this.connection = connection;
    this.setup = setup;
  }

  /** A global request of the client. */
  request(name: string, info: unknown, answer: Answer): void {
    const { bindAddr = '', bindPort = 0 } = info as { bindAddr?: string; bindPort?: number };
    if (name === 'cancel-tcpip-forward') {
      this.end(`${bindAddr}:${bindPort}`);
      answer.accept?.();
    } else if (name === 'tcpip-forward') {
      const made = this.forward(bindAddr, bindPort);
      this.pending.push(made);
      made.then(
        (port) => answer.accept?.(port),
        (error: unknown) => {
          this.setup.say(messageOf(error));
          answer.reject?.();
        },
      );
    } else answer.reject?.();
  }

  /** The path inside of a socket that leads to the client's agent; made once. */
  agent(): Promise<string> {
    this.agentPath ??= this.listen('agent', ['listen', 'agent'], (open) =>
      openAgent(this.connection, open),
    ).then(({ place }) => place);
    return this.agentPath;
  }

  /** Resolves when what was asked for stands: a command may use it at once. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.pending);
  }

  close(): void {
    for (const key of [...this.streams.keys()]) this.end(key);
  }

  private async forward(address: string, port: number): Promise<number> {
    const { place } = await this.listen(
      `${address}:${port}`,
      ['listen', String(port), address],
      (open) => {
        this.connection.forwardOut(address, Number(place), '127.0.0.1', 0, open);
      },
    );
    const bound = Number(place);
    const stream = this.streams.get(`${address}:${port}`);
    if (port === 0 && stream !== undefined) this.streams.set(`${address}:${bound}`, stream);
    return bound;
  }

  private async listen(
    key: string,
    words: readonly string[],
    open: (done: (error: Error | undefined, channel: ServerChannel) => void) => void,
  ): Promise<{ readonly place: string }> {
    await this.setup.kit();
    const { container, user, env } = this.setup.how;
    const { stream } = await runJoined(this.setup.client, container, {
      command: insideCommand(...words),
      user,
      env,
    });
    this.streams.set(key, stream);
    const place = new Promise<string>((resolve, reject) => {
      const frames = new Frames(stream, {
        greet: resolve,
        open: (join) =>
          open((error, channel) => {
            if (error !== undefined) join(undefined);
            else join(channel);
          }),
      });
      stream.on('close', () => {
        frames.close();
        reject(new Error(`nothing listens inside at ${words.slice(1).join(' ')}`));
      });
    });
    return { place: await place };
  }

  private end(key: string): void {
    const stream = this.streams.get(key);
    this.streams.delete(key);
    stream?.end();
  }
}
