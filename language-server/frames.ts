/**
 * Finds messages in a stream of bytes by the base protocol of the Language Server Protocol 3.17. Bytes that belong to no
 * message (a wrong length, a header without one) are passed over up to the next header; it never waits for what cannot come.
 */

const NAME = 'content-length:';
/** A header that is longer is none. */
const HEADER_LIMIT = 8192;
/** No text and no request is longer. */
const BODY_LIMIT = 512 * 1024 * 1024;

const NOTHING = Buffer.alloc(0);

/** Bytes in, whole bodies out, each as soon as its last byte is there. */
export class Frames {
  private readonly found: (body: Buffer) => void;
  /** What is not read yet: the beginning of a header. */
  private held: Buffer = NOTHING;
  /** The body that is being read, in pieces, and its bytes that are still to come; undefined before a header. */
  private body: Buffer[] = [];
  private left: number | undefined;

  constructor(found: (body: Buffer) => void) {
    this.found = found;
  }

  take(chunk: Buffer): void {
    const rest = this.takeBody(chunk);
    if (rest.length === 0) return;
    this.held = this.held.length === 0 ? rest : Buffer.concat([this.held, rest]);
    while (this.passHeader()) this.held = this.takeBody(this.held);
  }

  /** Takes what is left of a body and gives what stands behind it. */
  private takeBody(bytes: Buffer): Buffer {
    if (this.left === undefined) return bytes;
    const part = bytes.subarray(0, this.left);
    this.left -= part.length;
    if (this.left > 0 || this.body.length > 0) this.body.push(part);
    if (this.left > 0) return NOTHING;
    const whole = this.body.length > 0 ? Buffer.concat(this.body) : part;
    this.body = [];
    this.left = undefined;
    this.found(whole);
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
