/** A program run in a container with a terminal: joins the editor's terminal with an exec of the engine. */
import type { Socket } from 'node:net';
import type { Client } from '../../client/api/client.ts';
import { copyRaw } from '../../client/api/streams.ts';
import type { ExecCreateRequest } from '../../lib/api/containers.ts';
import type { TerminalSession } from '../commands/desk.ts';

export interface ShellRequest {
  readonly container: string;
  /** Of the terminal. */
  readonly name: string;
  readonly exec: Pick<ExecCreateRequest, 'Cmd' | 'PinnaceTool' | 'User' | 'WorkingDir' | 'Env'>;
  /** Shown above the first prompt. */
  readonly greeting?: string;
  /** Done once the program has ended or the terminal is closed. */
  readonly after?: () => Promise<void>;
}

/** Ctrl+C, then the end of input: what an interactive shell leaves by. An exec has no other way to be told that its terminal is gone. */
const LEAVE = '\x03\x04';

export function shellSession(client: Client, request: ShellRequest): TerminalSession {
  const { containers } = client;
  return {
    name: request.name,
    run: async (io) => {
      if (request.greeting !== undefined) io.output.write(`\x1b[2m${request.greeting}\x1b[0m\r\n`);
      const { Id } = await containers.execCreate(request.container, {
        AttachStdin: true,
        AttachStdout: true,
        AttachStderr: true,
        Tty: true,
        ConsoleSize: [io.size.rows, io.size.columns],
        ...request.exec,
        Env: ['TERM=xterm-256color', 'COLORTERM=truecolor', ...(request.exec.Env ?? [])],
      });
      try {
        const { socket } = await containers.execStart(Id, { tty: true });
        // Older engines take no size when they start: it is said again once the program runs.
        const resize = (size: { readonly columns: number; readonly rows: number }): void => {
          containers
            .execResize(Id, { height: size.rows, width: size.columns })
            .catch(() => undefined);
        };
        resize(io.size);
        io.onResize(resize);
        await joinTerminal(socket, io);
        return io.signal.aborted ? 0 : ((await containers.execInspect(Id)).ExitCode ?? 0);
      } finally {
        await request.after?.();
      }
    },
  };
}

/** Carries both ways until the program ends or the terminal is closed. */
async function joinTerminal(
  socket: Socket,
  io: Parameters<TerminalSession['run']>[0],
): Promise<void> {
  const leave = (): void => {
    io.input.unpipe(socket);
    socket.end(LEAVE);
    socket.setTimeout(1000, () => socket.destroy());
  };
  io.signal.addEventListener('abort', leave, { once: true });
  if (io.signal.aborted) leave();
  io.input.pipe(socket, { end: false });
  try {
    await copyRaw(socket, io.output);
  } catch (error) {
    // A program that ends while something is typed resets the connection: its end is what counts.
    if ((error as { code?: string }).code !== 'ECONNRESET' && !io.signal.aborted) throw error;
  } finally {
    io.signal.removeEventListener('abort', leave);
    io.input.unpipe(socket);
    socket.destroy();
  }
}
