/** The terminal of a container's own program: what it writes is shown, what is typed it reads; closing the terminal leaves it running. */
import { Transform, Writable } from 'node:stream';
import type { Client } from '../../client/api/client.ts';
import { copyRaw, demultiplex } from '../../client/api/streams.ts';
import type { TerminalSession } from '../commands/desk.ts';

export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly tty: boolean;
  /** Whether the program reads at all. */
  readonly stdin: boolean;
  /** Starts the container once the terminal listens, so that nothing is missed. */
  readonly start?: boolean;
}

export function attachSession(client: Client, to: Attachment): TerminalSession {
  const { containers } = client;
  return {
    name: to.name,
    run: async (io) => {
      const { socket } = await containers.attach(to.id, {
        stdin: to.stdin,
        stdout: true,
        stderr: true,
        signal: io.signal,
      });
      const ended = await containers.wait(to.id, to.start === true ? 'next-exit' : 'not-running', {
        signal: io.signal,
      });
      io.signal.addEventListener('abort', () => socket.destroy(), { once: true });
      if (to.start === true) await containers.start(to.id);
      else
        io.output.write(
          '\x1b[2mAttached. Closing this terminal leaves the container running.\x1b[0m\r\n',
        );
      if (to.tty) {
        const resize = (size: { readonly columns: number; readonly rows: number }): void => {
          containers
            .resize(to.id, { height: size.rows, width: size.columns })
            .catch(() => undefined);
        };
        resize(io.size);
        io.onResize(resize);
      }
      if (to.stdin)
        (to.tty ? io.input : io.input.pipe(lineInput(io.output))).pipe(socket, { end: false });
      try {
        if (to.tty) await copyRaw(socket, io.output);
        else await demultiplexed(socket, io.output);
      } catch (error) {
        if (!io.signal.aborted) throw error;
      } finally {
        socket.destroy();
      }
      return io.signal.aborted ? 0 : (await ended.result).StatusCode;
    },
  };
}

/** Without a terminal in the container nobody else turns line feeds into new lines. */
async function demultiplexed(
  socket: Parameters<typeof demultiplex>[0],
  output: Writable,
): Promise<void> {
  const lines = (): Writable =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        const text = chunk.toString('latin1').replaceAll(/\r?\n/g, '\r\n');
        output.write(Buffer.from(text, 'latin1'), () => done());
      },
    });
  await demultiplex(socket, { stdout: lines(), stderr: lines() });
}

/** What is typed is shown, and Enter ends a line: the little that a terminal's driver would do. */
function lineInput(output: Writable): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const typed = chunk.toString('latin1').replaceAll('\r', '\n');
      output.write(Buffer.from(typed.replaceAll('\n', '\r\n'), 'latin1'));
      done(null, Buffer.from(typed, 'latin1'));
    },
  });
}
