/**
 * Writes messages to a stream, each in one piece: header and body in one write wake the client once. It says nothing of
 * what is in them.
 */
import {
  AbstractMessageWriter,
  type Message,
  type MessageWriter,
} from 'vscode-languageserver/node';

export class WholeMessageWriter extends AbstractMessageWriter implements MessageWriter {
  private readonly stream: NodeJS.WritableStream;
  private failures = 0;

  constructor(stream: NodeJS.WritableStream) {
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
    const bytes = framed(JSON.stringify(message));
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
      this.stream.write(bytes, written);
    });
  }

  end(): void {
    this.stream.end();
  }
}

/** The body with its header before it. */
function framed(body: string): Buffer {
  const length = Buffer.byteLength(body);
  const header = `Content-Length: ${String(length)}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(header.length + length);
  bytes.write(header, 'latin1');
  // Most messages are plain ASCII, which needs no second look at each character.
  bytes.write(body, header.length, length === body.length ? 'latin1' : 'utf8');
  return bytes;
}
