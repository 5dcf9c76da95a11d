/** Carries the user's SSH agent into a container: frames of our program inside (inside.ts, `agent`) to the agent's socket. */
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Client } from '../api/client.ts';
import { insideCommand, runJoined } from './dial.ts';
import type { Inside } from './exec.ts';

const HEADER = 8;
/** No message of an agent is longer (OpenSSH's AGENT_MAX_LEN). */
const FRAME_LIMIT = 256 * 1024;

/** Serves until the container's side ends; rejects when it cannot be reached. */
export async function carryAgent(
  client: Client,
  how: Omit<Inside, 'command'>,
  agent: string,
  signal: AbortSignal,
): Promise<void> {
  const { stream } = await runJoined(client, how.container, {
    command: insideCommand('agent'),
    user: how.user,
    env: how.env,
  });
  const stop = (): void => void stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    joinFrames(stream, agent);
    await finished(stream);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Each channel of the frames becomes a connection to the socket `agent`. */
export function joinFrames(stream: Duplex, agent: string): void {
  const channels = new Map<number, Socket>();
  let rest = Buffer.alloc(0);
  const send = (channel: number, data: Buffer): void => {
    const header = Buffer.alloc(HEADER);
    header.writeUInt32BE(channel, 0);
    header.writeUInt32BE(data.length, 4);
    if (stream.writable) stream.write(Buffer.concat([header, data]));
  };
  const channelOf = (channel: number): Socket => {
    const known = channels.get(channel);
    if (known !== undefined) return known;
    const socket = connect(agent);
    channels.set(channel, socket);
    socket.on('data', (data) => send(channel, data));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      if (channels.delete(channel)) send(channel, Buffer.alloc(0));
    });
    return socket;
  };
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= HEADER) {
      const channel = rest.readUInt32BE(0);
      const length = rest.readUInt32BE(4);
      if (length > FRAME_LIMIT) {
        stream.destroy(new Error(`a frame of ${length} bytes is no agent's`));
        return;
      }
      if (rest.length < HEADER + length) return;
      if (length > 0) channelOf(channel).write(rest.subarray(HEADER, HEADER + length));
      else if (channels.has(channel)) channelOf(channel).end();
      rest = rest.subarray(HEADER + length);
    }
  });
  stream.on('close', () => {
    for (const socket of channels.values()) socket.destroy();
  });
}
