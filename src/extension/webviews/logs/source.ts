/**
 * Follows the log of a container over its restarts and hands lines on as fast as they are taken, never faster: while the
 * reader is busy the stream is not read, so that the engine waits. Knows no editor.
 */
import type { Client } from '../../../client/api/client.ts';
import { StdDemultiplexer } from '../../../lib/api/stdcopy.ts';
import { EngineError, kindOf, messageOf } from '../../../lib/errors.ts';
import { LogLines } from './lines.ts';
import type { LogLine } from './messages.ts';

/** Lines of the past that are asked for. */
const TAIL = 100_000;

export interface LogReader {
  /** Resolves when more can be taken. */
  lines(lines: readonly LogLine[]): Promise<void>;
  state(text: string, how: { readonly live: boolean }): void;
}

/** How long a lost engine is waited for between two tries, milliseconds. */
const RETRY_MS = 1000;

/** Runs until `signal` is aborted or the container is removed. Throws what the first look at the container threw. */
export async function followLog(
  client: Client,
  container: string,
  reader: LogReader,
  signal: AbortSignal,
): Promise<void> {
  let since: string | undefined;
  const over = (): boolean => signal.aborted;
  for (let first = true; ; first = false) {
    try {
      const { State, Config } = await client.containers.inspect(container, { signal });
      if (State.Running) reader.state('Following', { live: true });
      since =
        (await readOnce(client, { container, tty: Config.Tty === true, since, signal }, reader)) ??
        since;
      if (over()) return;
      if (!(await waitForStart(client, container, reader, signal))) return;
    } catch (error) {
      if (over() || kindOf(error) === 'cancelled') return;
      if (first || kindOf(error) !== 'unavailable') throw error;
      reader.state(messageOf(error), { live: false });
      await pause(RETRY_MS, signal);
    }
  }
}

interface Part {
  readonly container: string;
  /** The stream is raw; else it is multiplexed, also where an engine older than API 1.42 does not say so. */
  readonly tty: boolean;
  /** The time of the last line that was shown. */
  readonly since: string | undefined;
  readonly signal: AbortSignal;
}

/** One stream to its end; the time of its last line. */
async function readOnce(
  client: Client,
  part: Part,
  reader: LogReader,
): Promise<string | undefined> {
  const { container, tty, since, signal } = part;
  const { stream } = await client.containers.logs(container, {
    stdout: true,
    stderr: true,
    follow: true,
    timestamps: true,
    ...(since === undefined ? { tail: TAIL } : { since: unixTime(since) }),
    signal,
  });
  const parser = new LogLines();
  const demultiplexer = tty ? undefined : new StdDemultiplexer();
  let last = since;
  const take = async (lines: readonly LogLine[]): Promise<void> => {
    // The engine sends the line at `since` once more.
    const fresh =
      since === undefined ? lines : lines.filter(([, time]) => time === '' || isLater(time, since));
    last = fresh.findLast(([, time]) => time !== '')?.[1] ?? last;
    if (fresh.length > 0) await reader.lines(fresh);
  };
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const frames = demultiplexer?.push(chunk) ?? [{ stream: 'stdout' as const, data: chunk }];
      await take(frames.flatMap((frame) => parser.push(frame.stream, frame.data)));
    }
  } catch (error) {
    if (!signal.aborted) throw new EngineError('unavailable', messageOf(error), { cause: error });
  }
  await take(parser.end());
  return last;
}

/** Seconds since the epoch with nine decimals: the one form that every engine reads. */
function unixTime(time: string): string {
  const seconds = Math.floor(Date.parse(`${time.slice(0, 19)}Z`) / 1000);
  return `${seconds}.${(/\.(\d+)/.exec(time)?.[1] ?? '').padEnd(9, '0')}`;
}

/** RFC 3339 with any number of decimals, as engines write them in UTC. */
function isLater(one: string, other: string): boolean {
  const seconds = (text: string): string => text.slice(0, 19);
  const fraction = (text: string): string => (/\.(\d+)/.exec(text)?.[1] ?? '').padEnd(9, '0');
  if (seconds(one) !== seconds(other)) return seconds(one) > seconds(other);
  return fraction(one) > fraction(other);
}

/** False when the container is gone. */
async function waitForStart(
  client: Client,
  container: string,
  reader: LogReader,
  signal: AbortSignal,
): Promise<boolean> {
  const events = client.system.events({
    filters: { container: [container], type: ['container'], event: ['start', 'destroy'] },
    signal,
  });
  const next = events.next();
  next.catch(() => undefined);
  try {
    const { State } = await client.containers.inspect(container, { signal });
    if (State.Running) return true;
    reader.state(`Exited with status ${String(State.ExitCode)}`, { live: false });
    const event = await next;
    if (event.done === true) throw new EngineError('unavailable', 'The engine ended');
    if (event.value.Action !== 'destroy') return true;
    reader.state('The container was removed', { live: false });
    return false;
  } catch (error) {
    if (kindOf(error) !== 'not-found') throw error;
    reader.state('The container was removed', { live: false });
    return false;
  } finally {
    // Not awaited: a generator that waits for its stream returns only when that ends.
    void events.return().catch(() => undefined);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
