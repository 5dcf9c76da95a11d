/** Carries the user's SSH agent into a container: each connection of the socket there becomes one to the agent here. */
import { connect } from 'node:net';
import { finished } from 'node:stream/promises';
import type { Client } from '../api/client.ts';
import { insideCommand, runJoined } from './dial.ts';
import type { Inside } from './exec.ts';
import { Frames } from './frames.ts';

/** Serves until the container's side ends; rejects when it cannot be reached. */
export async function carryAgent(
  client: Client,
  how: Omit<Inside, 'command'>,
  agent: string,
  signal: AbortSignal,
): Promise<void> {
  const { stream } = await runJoined(client, how.container, {
    command: insideCommand('listen', 'agent'),
    user: how.user,
    env: how.env,
  });
  const stop = (): void => void stream.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const frames = new Frames(stream, { open: (join) => join(connect(agent)) });
  try {
    await finished(stream);
  } finally {
    frames.close();
    signal.removeEventListener('abort', stop);
  }
}
