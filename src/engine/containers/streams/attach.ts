/** Joins a client to a container's streams, before its start too, with the earlier output first when asked. */

import { EngineError } from '../../../lib/errors.ts';
import type { Container } from '../container.ts';
import type { AttachOptions, Framed } from '../types.ts';
import { announce, placesOf } from '../parts.ts';
import type { ContainersParts } from '../parts.ts';
import { DeferredStream } from './deferred.ts';
import { detachFilter, parseKeys } from './detach.ts';
import { readLogs } from './logs.ts';
import type { Duplex } from 'node:stream';

/** Throws conflict for a paused container. */
export async function attach(
  container: Container,
  options: AttachOptions,
  parts: ContainersParts,
): Promise<Framed<Duplex>> {
  const { config } = container.definition;
  const tty = config.Tty === true;
  if (container.state.status === 'paused') {
    throw new EngineError(
      'conflict',
      `container ${container.id} is paused, unpause the container before attach`,
    );
  }
  const stdin = options.stdin && config.OpenStdin === true;
  const filter = tty && stdin ? detachFilter(parseKeys(options.detachKeys ?? '')) : undefined;
  const stream = new DeferredStream({
    filter,
    onDetach: () => announce(parts.events, container, 'detach'),
  });
  const streams = { stdin, stdout: options.stdout, stderr: options.stderr };
  announce(parts.events, container, 'attach');
  if (!options.stream) {
    await prependLogs(container, options, stream, parts);
    stream.abandon();
    return { tty, stream };
  }
  const { shim } = container;
  if (shim === undefined || !container.isLive) {
    if (options.logs) await prependLogs(container, options, stream, parts);
    const client = { stream, ...streams };
    container.pending.add(client);
    stream.once('close', () => container.pending.delete(client));
    return { tty, stream };
  }
  const source = await shim.attach(streams);
  if (options.logs) await prependLogs(container, options, stream, parts);
  stream.connect(source);
  return { tty, stream };
}

async function prependLogs(
  container: Container,
  options: AttachOptions,
  stream: DeferredStream,
  parts: ContainersParts,
): Promise<void> {
  const stop = new AbortController();
  const logs = readLogs(
    {
      path: placesOf(parts.places, container.id).log,
      tty: container.definition.config.Tty === true,
      isOpen: () => false,
      onClose: () => () => undefined,
    },
    {
      stdout: options.stdout,
      stderr: options.stderr,
      follow: false,
      timestamps: false,
      tail: undefined,
      sinceNano: undefined,
      untilNano: undefined,
    },
    stop.signal,
  );
  for await (const chunk of logs) stream.prepend(chunk as Buffer);
}
