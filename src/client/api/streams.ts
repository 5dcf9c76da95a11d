/** Turns an engine's streams into what a caller wants: JSON lines into values, multiplexed output into two streams. */

import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import { StdDemultiplexer } from '../../lib/api/stdcopy.ts';
import type { JsonMessage } from '../../lib/api/system.ts';

/** A longer line is no message of an engine. */
const LINE_LIMIT = 16 * 1024 * 1024;

/** One value a line; ending the loop early destroys the stream. Throws EngineError on a broken line. */
export async function* readJsonLines<T>(stream: Readable): AsyncGenerator<T, void, undefined> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield parseLine(line) as T;
    if (rest.length > LINE_LIMIT)
      throw new EngineError('internal', 'the engine sent a line of more than 16 MiB');
  }
  if (rest.trim() !== '') yield parseLine(rest) as T;
}

/** The messages of a pull, load or build; one that carries an error ends the loop by throwing it. */
export async function* readMessages(
  stream: Readable,
): AsyncGenerator<JsonMessage, void, undefined> {
  for await (const message of readJsonLines<JsonMessage>(stream)) {
    const text = message.errorDetail?.message ?? message.error;
    if (text !== undefined) throw new EngineError('invalid', text);
    yield message;
  }
}

/**
 * Writes a multiplexed stream's standard output and error to their targets, waiting for a slow one.
 * Resolves when the stream has ended; leaves the targets open.
 */
export async function demultiplex(
  stream: Readable,
  targets: { readonly stdout: Writable; readonly stderr: Writable },
): Promise<void> {
  const demultiplexer = new StdDemultiplexer();
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (const frame of demultiplexer.push(chunk)) {
      const target = frame.stream === 'stderr' ? targets.stderr : targets.stdout;
      if (!target.write(frame.data)) await once(target, 'drain');
    }
  }
  if (!demultiplexer.complete)
    throw new EngineError('unavailable', 'the stream ended in the middle of a frame');
}

/** Writes a raw (tty) stream to its target, waiting while it is slow; leaves the target open. */
export async function copyRaw(stream: Readable, target: Writable): Promise<void> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (!target.write(chunk)) await once(target, 'drain');
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch (cause) {
    throw new EngineError(
      'internal',
      `the engine sent a line that is not JSON: ${line.slice(0, 200)}`,
      { cause },
    );
  }
}
