/** Writes a stream of the engine to a file: beside it first, so that a cancelled or broken one leaves nothing and harms nothing. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../lib/errors.ts';
import { sizeText } from '../../lib/text/amounts.ts';
import type { Desk } from './desk.ts';

/** How often the progress says how much was written, milliseconds. */
const TELL_MS = 200;

export interface Save {
  readonly title: string;
  readonly path: string;
  readonly open: (signal: AbortSignal) => Promise<Readable>;
  /** Bytes, where they are known: the progress then has a bar. */
  readonly total?: number;
}

/** Throws EngineError: cancelled by the user, or what the engine or the disk said. */
export async function saveStream(desk: Desk, { title, path, open, total }: Save): Promise<void> {
  const part = join(dirname(path), `.${basename(path)}.${String(process.pid)}.part`);
  const bytes = await desk.progress(title, async (signal, report) => {
    let written = 0;
    let told = 0;
    let percent = 0;
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        written += chunk.length;
        if (performance.now() - told > TELL_MS) {
          told = performance.now();
          const now = total === undefined ? 0 : Math.min(99, (written / total) * 100);
          report({
            message: sizeText(written),
            ...(total === undefined ? {} : { increment: now - percent }),
          });
          percent = now;
        }
        done(null, chunk);
      },
    });
    try {
      await pipeline(await open(signal), counter, createWriteStream(part), { signal });
      await rename(part, path);
    } catch (cause) {
      await rm(part, { force: true });
      if (signal.aborted) throw new EngineError('cancelled', `${title} was cancelled`, { cause });
      throw cause;
    }
    return written;
  });
  await desk.inform(`${basename(path)} is written: ${sizeText(bytes)}.`);
}
