/** One piece of work on a container as the user sees it: progress with cancel, the log, and what can be done when it fails. */
import { kindOf, messageOf } from '../../lib/errors.ts';
import type { JsonMessage } from '../../lib/api/system.ts';
import type { Desk } from '../commands/desk.ts';
import type { Host } from './host.ts';

export interface Work {
  readonly signal: AbortSignal;
  /** A line for the log and the notification. */
  readonly say: (line: string) => void;
}

/** Title of a button → what it does. */
export type Remedies = Readonly<Record<string, () => Promise<void>>>;

const LOG = 'Show Log';

/** True when the work was done; else the user was told, with the log and these remedies to choose from. Throws only `cancelled`. */
export async function flow(
  { desk, host }: { readonly desk: Desk; readonly host: Host },
  title: string,
  work: (work: Work) => Promise<void>,
  remedies: (error: unknown) => Remedies = () => ({}),
): Promise<boolean> {
  try {
    await desk.progress(title, async (signal, report) => {
      await work({
        signal,
        say: (line) => {
          host.log.line(line);
          report({ message: line });
        },
      });
    });
    return true;
  } catch (error) {
    if (kindOf(error) === 'cancelled') throw error;
    host.log.line(`failed: ${messageOf(error)}`);
    const offered = remedies(error);
    const chosen = await desk.complain(messageOf(error), ...Object.keys(offered), LOG);
    if (chosen === LOG) host.log.show();
    else if (chosen !== undefined) await offered[chosen]?.();
    return false;
  }
}

/** A build's and pull's messages as lines; gives the last `aux`. */
export async function showMessages(
  messages: AsyncIterable<JsonMessage>,
  host: Host,
  say: (line: string) => void,
): Promise<Record<string, unknown>> {
  let last: Record<string, unknown> = {};
  for await (const message of messages) {
    if (message.stream !== undefined) {
      const text = message.stream.trimEnd();
      if (/^Step \d+\/\d+ : /.test(text)) say(text);
      else if (text !== '') host.log.line(text);
    } else if (message.status !== undefined && message.progressDetail?.current === undefined) {
      host.log.line(message.id === undefined ? message.status : `${message.id}: ${message.status}`);
    }
    if (message.aux !== undefined) last = message.aux;
  }
  return last;
}
