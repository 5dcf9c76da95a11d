/**
 * Reads messages from a stream, each as soon as it is whole. The library's reader goes through a promise for each message
 * and stops for ever at bytes that are none; what it says of a body that is no JSON is said here too. It looks into no message.
 */
import {
  AbstractMessageReader,
  type DataCallback,
  type Disposable,
  type Message,
  type MessageReader,
} from 'vscode-languageserver/node';
import { Frames } from './frames.ts';

export class WholeMessageReader extends AbstractMessageReader implements MessageReader {
  private readonly stream: NodeJS.ReadableStream;

  constructor(stream: NodeJS.ReadableStream) {
    super();
    this.stream = stream;
  }

  listen(callback: DataCallback): Disposable {
    const frames = new Frames((body) => {
      try {
        // A message of another shape is turned away by the gate; the library trips over some before that.
        callback(JSON.parse(body.toString()) as Message);
      } catch (error) {
        this.fireError(error);
      }
    });
    const take = (chunk: Buffer): void => {
      frames.take(chunk);
    };
    const { stream } = this;
    stream.on('data', take);
    stream.on('error', (error) => {
      this.fireError(error);
    });
    stream.on('close', () => {
      this.fireClose();
    });
    return { dispose: () => stream.off('data', take) };
  }
}
