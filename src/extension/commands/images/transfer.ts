/** Adds up what an engine tells of each layer of a pull or push into one number and one line. Pure. */
import type { JsonMessage } from '../../../lib/api/system.ts';
import { sizeText } from '../../../lib/text/amounts.ts';

interface Layer {
  /** Bytes moved and to move; 0 while they are not known. */
  current: number;
  total: number;
  done: boolean;
  /** Of a pull: the layer is here and is being unpacked. */
  unpacking: boolean;
}

const DONE = /^(?:Pull complete|Already exists|Pushed|Layer already exists|Mounted from)/;
const MOVING = /^(?:Downloading|Pushing)/;
const MOVED = /^(?:Download complete|Verifying Checksum)/;
const LAYER =
  /^(?:Pulling fs layer|Preparing|Waiting|Downloading|Verifying|Download complete|Extracting|Pull complete|Already exists|Push|Layer already|Mounted from)/;

/** Unpacking counts for this part of a layer. */
const UNPACK_SHARE = 0.2;

export class Transfer {
  private readonly layers = new Map<string, Layer>();
  /** The last line that is about the whole: `Status: Image is up to date for …`. */
  status = '';
  digest: string | undefined;

  push(message: JsonMessage): void {
    const status = message.status ?? '';
    const digest = /(?:^Digest: |digest: )(sha256:[0-9a-f]{64})/.exec(status)?.[1];
    if (digest !== undefined) this.digest = digest;
    if (message.id === undefined || !LAYER.test(status)) {
      if (status !== '') this.status = status;
      return;
    }
    const layer = this.layerOf(message.id);
    const { current = 0, total = 0 } = message.progressDetail ?? {};
    if (DONE.test(status)) {
      layer.done = true;
      layer.current = layer.total;
    } else if (MOVING.test(status)) {
      layer.current = current;
      layer.total = Math.max(layer.total, total, current);
    } else if (MOVED.test(status)) layer.current = layer.total;
    else if (status.startsWith('Extracting')) {
      layer.current = layer.total;
      layer.unpacking = true;
    }
  }

  /** 0 to 100; never says 100 before every layer is done. */
  get percent(): number {
    const layers = [...this.layers.values()];
    if (layers.length === 0) return 0;
    const known = layers.filter(({ total }) => total > 0);
    const average =
      known.length === 0 ? 1 : known.reduce((sum, { total }) => sum + total, 0) / known.length;
    let have = 0;
    let all = 0;
    for (const { current, total, done } of layers) {
      const weight = total > 0 ? total : average;
      all += weight;
      if (done) have += weight;
      else if (total > 0) have += current * (1 - UNPACK_SHARE);
    }
    return Math.min(layers.every(({ done }) => done) ? 100 : 99, (have / all) * 100);
  }

  /** `2 of 7 layers, 40 MB of 120 MB`. */
  get text(): string {
    const layers = [...this.layers.values()];
    if (layers.length === 0) return this.status;
    const done = layers.filter((layer) => layer.done).length;
    const total = layers.reduce((sum, layer) => sum + layer.total, 0);
    const current = layers.reduce((sum, layer) => sum + layer.current, 0);
    const bytes = total === 0 ? '' : `, ${sizeText(current)} of ${sizeText(total)}`;
    const unpacking = layers.some((layer) => layer.unpacking && !layer.done) && current === total;
    return `${String(done)} of ${String(layers.length)} layers${bytes}${unpacking ? ', unpacking' : ''}`;
  }

  private layerOf(id: string): Layer {
    const known = this.layers.get(id);
    if (known !== undefined) return known;
    const layer = { current: 0, total: 0, done: false, unpacking: false };
    this.layers.set(id, layer);
    return layer;
  }
}

/** At most ten reports a second. */
const TELL_MS = 100;

/** Follows the messages to their end, reporting; the transfer then knows what the engine said last. */
export async function follow(
  messages: AsyncIterable<JsonMessage>,
  report: (step: { readonly message?: string; readonly increment?: number }) => void,
): Promise<Transfer> {
  const transfer = new Transfer();
  let percent = 0;
  let told = Number.NEGATIVE_INFINITY;
  for await (const message of messages) {
    transfer.push(message);
    const now = performance.now();
    if (now - told < TELL_MS) continue;
    told = now;
    const next = Math.max(percent, transfer.percent);
    report({ message: transfer.text, increment: next - percent });
    percent = next;
  }
  return transfer;
}
