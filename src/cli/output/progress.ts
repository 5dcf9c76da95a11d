/** Shows the messages of a pull, load or build: on a terminal each layer keeps its line, elsewhere one line an event. */

import type { JsonMessage } from '../../lib/api/system.ts';
import { size } from './human.ts';

/** Writes every message; resolves to the last `aux` seen. */
export async function show(
  messages: AsyncIterable<JsonMessage>,
  out: NodeJS.WriteStream,
  options: { quiet: boolean },
): Promise<Record<string, unknown>> {
  const lines = new Map<string, number>();
  let aux: Record<string, unknown> = {};
  for await (const message of messages) {
    if (message.aux !== undefined) aux = message.aux;
    if (options.quiet) continue;
    if (message.stream !== undefined) out.write(message.stream);
    else if (message.status !== undefined) status(message, lines, out);
  }
  return aux;
}

function status(message: JsonMessage, lines: Map<string, number>, out: NodeJS.WriteStream): void {
  const { id, status: text = '' } = message;
  const current = message.progressDetail?.current;
  const total = message.progressDetail?.total;
  if (id === undefined) {
    out.write(`${text}\n`);
    return;
  }
  const moving = current !== undefined && current > 0;
  if (!out.isTTY) {
    if (!moving) out.write(`${id}: ${text}\n`);
    return;
  }
  const amount = moving
    ? `  ${size(current)}${total === undefined || total <= 0 ? '' : `/${size(total)}`}`
    : '';
  const known = lines.get(id);
  if (known === undefined) {
    lines.set(id, lines.size);
    out.write(`${id}: ${text}${amount}\n`);
    return;
  }
  const up = lines.size - known;
  out.write(`\u001B[${up}A\r\u001B[K${id}: ${text}${amount}\u001B[${up}B\r`);
}
