/** One session channel: a shell, a command or SFTP, as an exec of the container. Terminal sizes, signals and exit statuses pass through. */
import type { Connection, ServerChannel, Session } from 'ssh2';
import { messageOf } from '../../lib/errors.ts';
import { demultiplex } from '../api/streams.ts';
import { insideCommand } from '../devcontainer/dial.ts';
import { shellOf } from '../devcontainer/exec.ts';
import type { Listening } from './listen.ts';
import type { SshSetup } from './server.ts';

interface Context {
  readonly connection: Connection;
  readonly setup: SshSetup;
  readonly listening: Listening;
  readonly user: string | undefined;
  readonly signal: AbortSignal;
}

interface Size {
  readonly height: number;
  readonly width: number;
}

interface State {
  readonly env: Map<string, string>;
  terminal: Size | undefined;
  agent: boolean;
  /** Tells a running exec of a new size. */
  resize: ((size: Size) => void) | undefined;
}

/** Asks the container's own user file for the login shell: `getent` is not everywhere. */
const LOGIN_SHELL =
  's=$(sed -n "s/^$(id -un):.*:\\([^:]*\\)$/\\1/p" /etc/passwd 2>/dev/null | head -n 1); [ -x "$s" ] || s=/bin/sh; export SHELL="$s"';

export function serveSession(session: Session, context: Context): void {
  const state: State = { env: new Map(), terminal: undefined, agent: false, resize: undefined };
  session.on('env', (accept, _reject, { key, val }) => {
    // As sshd's default AcceptEnv of Debian: language and terminal, nothing that changes what programs load.
    if (/^(?:LANG|LC_\w+|TERM|COLORTERM)$/.test(key)) state.env.set(key, val);
    (accept as (() => void) | undefined)?.();
  });
  session.on('pty', (accept, _reject, info) => {
    state.terminal = { height: info.rows, width: info.cols };
    const { term } = info as { term?: string };
    state.env.set('TERM', term === undefined || term === '' ? 'xterm' : term);
    (accept as (() => void) | undefined)?.();
  });
  session.on('window-change', (accept, _reject, { rows, cols }) => {
    state.terminal = { height: rows, width: cols };
    state.resize?.(state.terminal);
    (accept as (() => void) | undefined)?.();
  });
  session.on('auth-agent', (accept) => {
    state.agent = true;
    (accept as (() => void) | undefined)?.();
  });
  session.on('exec', (accept, _reject, { command }) => {
    start(accept(), context, state, { script: command });
  });
  session.on('shell', (accept) => start(accept(), context, state, {}));
  session.on('subsystem', (accept, reject, { name }) => {
    if (name === 'sftp') start(accept(), context, state, { sftp: true });
    else reject();
  });
}

interface What {
  /** For the user's shell; none: the shell itself. */
  readonly script?: string;
  readonly sftp?: boolean;
}

function start(channel: ServerChannel, context: Context, state: State, what: What): void {
  run(channel, context, state, what).catch((error: unknown) => {
    channel.stderr.write(`pinnace: ${messageOf(error)}\n`);
    finish(channel, 255);
  });
}

async function run(
  channel: ServerChannel,
  { setup, listening, user, signal }: Context,
  state: State,
  what: What,
): Promise<void> {
  const { client, how } = setup;
  await listening.settled();
  if (what.sftp === true) await setup.kit();
  const env = [...how.env, ...[...state.env].map(([name, value]) => `${name}=${value}`)];
  if (state.agent) env.push(`SSH_AUTH_SOCK=${await listening.agent()}`);
  const tty = state.terminal !== undefined && what.sftp !== true;
  const { Id } = await client.containers.execCreate(how.container, {
    Cmd: what.sftp === true ? insideCommand('sftp') : await commandOf(setup, what.script),
    User: user ?? how.user,
    WorkingDir: how.workdir,
    Env: env,
    Tty: tty,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    ...(state.terminal === undefined
      ? {}
      : { ConsoleSize: [state.terminal.height, state.terminal.width] as [number, number] }),
  });
  const { socket, multiplexed } = await client.containers.execStart(Id, { tty });
  if (tty) {
    state.resize = (size) => void client.containers.execResize(Id, size).catch(() => undefined);
    if (state.terminal !== undefined) state.resize(state.terminal);
  }
  signal.addEventListener('abort', () => socket.destroy(), { once: true });
  channel.on('close', () => socket.destroy());
  channel.on('error', () => socket.destroy());
  socket.on('error', () => undefined);
  channel.pipe(socket);
  if (multiplexed) await demultiplex(socket, { stdout: channel, stderr: channel.stderr });
  else await copy(socket, channel);
  finish(channel, (await client.containers.execInspect(Id)).ExitCode ?? 0);
}

/** The user's login shell, or a command in it; where there is no shell the one that is brought along. */
async function commandOf(setup: SshSetup, script: string | undefined): Promise<string[]> {
  const { container } = setup.how;
  let shell = await shellOf(setup.client, container, { orNone: true });
  if (shell === undefined) {
    await setup.kit();
    shell = await shellOf(setup.client, container);
  }
  if (shell !== '/bin/sh')
    return script === undefined ? [shell, '-l'] : [shell, '-c', script, shell];
  return script === undefined
    ? [shell, '-c', `${LOGIN_SHELL}; exec "$s" -l`]
    : [shell, '-c', `${LOGIN_SHELL}; exec "$s" -c "$1"`, 'sh', script];
}

async function copy(from: AsyncIterable<Buffer>, channel: ServerChannel): Promise<void> {
  for await (const chunk of from) {
    if (!channel.write(chunk))
      await new Promise<void>((resolve) => {
        channel.once('drain', resolve);
        channel.once('close', resolve);
      });
  }
}

function finish(channel: ServerChannel, status: number): void {
  channel.exit(status);
  channel.end();
}
