/**
 * Writes messages to a stream, each in one piece: header and body in one write wake the client once. It says nothing of
 * what is in them.
 */
import type { Writable } from 'node:stream';
import {
  AbstractMessageWriter,
  type Message,
  type MessageWriter,
  type ResponseMessage,
} from 'vscode-languageserver/node';

/** An answer that is JSON already, in bytes; for this writer only. */
export class WrittenAnswer {
  readonly json: Buffer;

  constructor(json: Buffer) {
    this.json = json;
  }
}

export class WholeMessageWriter extends AbstractMessageWriter implements MessageWriter {
  private readonly stream: Writable;
  private failures = 0;

  constructor(stream: Writable) {
    super();
    this.stream = stream;
    stream.on('error', (error) => {
      this.fireError(error);
    });
    stream.on('close', () => {
      this.fireClose();
    });
  }

  write(message: Message): Promise<void> {
    const pieces = piecesOf(message);
    return new Promise((resolve, reject) => {
      const written = (error?: Error | null): void => {
        if (error === undefined || error === null) {
          resolve();
          return;
        }
        this.failures += 1;
        this.fireError(error, message, this.failures);
        reject(error);
      };
      const [first, ...others] = pieces;
      const last = others.pop();
      const { stream } = this;
      if (last === undefined) {
        stream.write(first, written);
        return;
      }
      stream.cork();
      for (const piece of [first, ...others]) stream.write(piece);
      stream.write(last, written);
      stream.uncork();
    });
  }

  end(): void {
    this.stream.end();
  }
}

/** A message's bytes, in one piece but for what would have to be copied. */
function piecesOf(message: Message): [Buffer, ...Buffer[]] {
  const { id, result } = message as Partial<ResponseMessage>;
  if (!(result instanceof WrittenAnswer)) return [framed(JSON.stringify(message))];
  const before = `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`;
  const header = headerOf(Buffer.byteLength(before) + result.json.length + 1);
  return [Buffer.from(header + before), result.json, Buffer.from('}')];
}

/** The body with its header before it. */
function framed(body: string): Buffer {
  const length = Buffer.byteLength(body);
  const header = headerOf(length);
  const bytes = Buffer.allocUnsafe(header.length + length);
  bytes.write(header, 'latin1');
  // Most messages are plain ASCII, which needs no second look at each character.
  bytes.write(body, header.length, length === body.length ? 'latin1' : 'utf8');
  return bytes;
}

function headerOf(length: number): string {
  return `Content-Length: ${String(length)}\r\n\r\n`;
}
