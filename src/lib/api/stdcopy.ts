/**
 * Docker's framing of standard output and error on one stream: `[stream, 0, 0, 0, length (32 bits,
 * big endian)]` before each piece. Pure: bytes in, pieces out.
 */

export type StdStream = 'stdin' | 'stdout' | 'stderr';

export interface StdFrame {
  readonly stream: StdStream;
  readonly data: Uint8Array;
}

const NAMES: readonly StdStream[] = ['stdin', 'stdout', 'stderr'];
const HEADER = 8;

/** The eight bytes before a piece of `length` bytes. */
export function frameHeader(stream: StdStream, length: number): Uint8Array {
  const header = new Uint8Array(HEADER);
  header[0] = NAMES.indexOf(stream);
  new DataView(header.buffer).setUint32(4, length);
  return header;
}

/**
 * Takes a framed stream apart. It keeps no payload back: a frame that arrives in several chunks comes
 * out in several pieces, so that nothing is ever buffered but a header's first bytes.
 */
export class StdDemultiplexer {
  private readonly header = new Uint8Array(HEADER);
  private headerLength = 0;
  private left = 0;
  private stream: StdStream = 'stdout';

  /** The pieces in `chunk`. Throws an Error when the stream is not framed. */
  push(chunk: Uint8Array): StdFrame[] {
    const frames: StdFrame[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.left === 0) {
        const taken = Math.min(HEADER - this.headerLength, chunk.length - at);
        this.header.set(chunk.subarray(at, at + taken), this.headerLength);
        this.headerLength += taken;
        at += taken;
        if (this.headerLength === HEADER) this.open();
        continue;
      }
      const end = Math.min(at + this.left, chunk.length);
      frames.push({ stream: this.stream, data: chunk.subarray(at, end) });
      this.left -= end - at;
      at = end;
    }
    return frames;
  }

  /** Whether the stream may end here. */
  get complete(): boolean {
    return this.left === 0 && this.headerLength === 0;
  }

  private open(): void {
    const name = NAMES[this.header[0] ?? 255];
    if (
      name === undefined ||
      this.header[1] !== 0 ||
      this.header[2] !== 0 ||
      this.header[3] !== 0
    ) {
      throw new Error(
        `not a multiplexed stream: a frame begins with byte ${String(this.header[0])}`,
      );
    }
    this.stream = name;
    this.left = new DataView(this.header.buffer).getUint32(4);
    this.headerLength = 0;
  }
}
