/**
 * Keeps a stream of messages readable: bytes that belong to no message (a wrong length, a header without one) are passed
 * over up to the next header, where the library's reader would wait for ever. Bodies go through as they come.
 */
import { Transform, type TransformCallback } from 'node:stream';

const NAME = 'content-length:';
/** A header that is longer is none. */
const HEADER_LIMIT = 8192;
/** No text and no request is longer. */
const BODY_LIMIT = 512 * 1024 * 1024;

/** Text in, text out: the base protocol of the Language Server Protocol 3.17. */
export class Frames extends Transform {
  /** What is not passed on yet: the beginning of a header. */
  private held: Buffer = Buffer.alloc(0);
  /** Bytes of the message's body that are still to come. */
  private left = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const rest = this.passBody(chunk);
    if (rest.length > 0) {
      this.held = this.held.length === 0 ? rest : Buffer.concat([this.held, rest]);
      while (this.passHeader()) this.held = this.passBody(this.held);
    }
    done();
  }

  /** Passes on what is left of a body and gives what stands behind it. */
  private passBody(bytes: Buffer): Buffer {
    const part = bytes.subarray(0, this.left);
    this.left -= part.length;
    if (part.length > 0) this.push(part);
    return bytes.subarray(part.length);
  }

  /** Takes the next header from what is held and drops what stands before it; false when more bytes are needed. */
  private passHeader(): boolean {
    // Nearly always one of a single field stands at the beginning: no whole chunk need be looked through for it.
    const close = this.held.indexOf('\r\n\r\n');
    const near = close > HEADER_LIMIT ? '' : this.held.toString('latin1', 0, Math.max(0, close));
    const length = /\d\s.*:/s.test(near) ? undefined : lengthIn(near.toLowerCase());
    if (length === undefined) return this.passFarHeader();
    this.passLength(length, close + 4);
    return true;
  }

  private passFarHeader(): boolean {
    const text = this.held.toString('latin1').toLowerCase();
    for (let from = 0; ;) {
      const end = text.indexOf('\r\n\r\n', from);
      // A header has one length: what looks like an earlier one is none.
      const start = text.lastIndexOf(NAME, end < 0 ? text.length : end);
      if (end < 0) {
        this.held = this.held.subarray(beginIn(text, { start, from }));
        return false;
      }
      const length = start < from ? undefined : lengthIn(text.slice(start, end));
      if (length !== undefined) {
        this.passLength(length, end + 4);
        return true;
      }
      from = end + 4;
    }
  }

  private passLength(length: number, headerEnd: number): void {
    this.push(`Content-Length: ${String(length)}\r\n\r\n`);
    this.held = this.held.subarray(headerEnd);
    this.left = length;
  }
}

/** Where a header that is not whole may begin in a text. */
function beginIn(text: string, { start, from }: { start: number; from: number }): number {
  if (start >= from && text.length - start <= HEADER_LIMIT) return start;
  return Math.max(from, text.length - NAME.length + 1);
}

/** The length in a header's lines, without the empty one; undefined when it is no header. */
function lengthIn(header: string): number | undefined {
  if (header.length > HEADER_LIMIT) return undefined;
  const found = /^content-length:[ \t]*(\d{1,9})[ \t]*(?:\r\n[\w-]+:[^\r\n]*)*$/.exec(header)?.[1];
  const length = found === undefined ? undefined : Number(found);
  return length !== undefined && length <= BODY_LIMIT ? length : undefined;
}
