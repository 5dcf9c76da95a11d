/** Cuts the bytes of a log into lines with their time and colours, each stream by itself. Bounded: a line without an end is cut. Pure. */
import { TextDecoder } from 'node:util';
import type { StdStream } from '../../../lib/api/stdcopy.ts';
import { AnsiReader } from './ansi.ts';
import type { LogLine } from './messages.ts';

/** Longer lines go on in a line of their own: nobody reads them, and one element must not hold a megabyte. */
export const LINE_LIMIT = 16 * 1024;

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) ?/;

interface Side {
  readonly stream: 0 | 1;
  readonly decoder: TextDecoder;
  readonly ansi: AnsiReader;
  rest: string;
  /** Of the line whose end is still to come. */
  time: string;
}

export class LogLines {
  private readonly sides: readonly [Side, Side];

  constructor() {
    const side = (stream: 0 | 1): Side => ({
      stream,
      decoder: new TextDecoder(),
      ansi: new AnsiReader(),
      rest: '',
      time: '',
    });
    this.sides = [side(0), side(1)];
  }

  /** The lines that `data` completes. */
  push(stream: StdStream, data: Uint8Array): LogLine[] {
    const side = this.sides[stream === 'stderr' ? 1 : 0];
    const lines: LogLine[] = [];
    const parts = (side.rest + side.decoder.decode(data, { stream: true })).split('\n');
    side.rest = parts.pop() ?? '';
    for (const part of parts) {
      this.line(side, part, lines);
      side.time = '';
    }
    while (side.rest.length > LINE_LIMIT + 64) {
      const piece = side.rest.slice(0, LINE_LIMIT);
      side.rest = side.rest.slice(LINE_LIMIT);
      this.line(side, piece, lines);
    }
    return lines;
  }

  /** Lines whose end never came. */
  end(): LogLine[] {
    const lines: LogLine[] = [];
    for (const side of this.sides) {
      if (side.rest !== '') this.line(side, side.rest, lines);
      side.rest = '';
      side.time = '';
    }
    return lines;
  }

  private line(side: Side, raw: string, lines: LogLine[]): void {
    const time = side.time === '' ? TIME.exec(raw) : null;
    if (time !== null) side.time = time[1] ?? '';
    const body = (time === null ? raw : raw.slice(time[0].length)).replace(/\r$/, '');
    for (let at = 0; at === 0 || at < body.length; at += LINE_LIMIT) {
      const { text, spans } = side.ansi.read(body.slice(at, at + LINE_LIMIT));
      lines.push([side.stream, side.time, text, spans]);
    }
  }
}
