/** Reaches an engine on another machine through the system's own ssh program, whose keys, hosts and agent are the user's. Stores no secret. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Duplex } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';

export interface SshTarget {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  /** Whose command joins the connection: `docker` where the machine has it, else ours; or only ours. */
  readonly engine: 'any' | 'pinnace';
}

/** Letters, digits, dots and dashes; never a dash first, which ssh would read as an option. */
const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\])$/;
const USER = /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*$/;
const FORM =
  /^(ssh|pinnace\+ssh):\/\/(?:([^@/]*(?:@[^@/]*)*)@)?(\[[^\]]*\]|[^:/@]*)(?::(\d{1,5}))?\/?$/;

/** `ssh://user@host:port`, or `pinnace+ssh://…` for our engine only. Throws EngineError (invalid) for anything else. */
export function parseSsh(text: string): SshTarget {
  const [, scheme, user, host = '', port] = FORM.exec(text) ?? [];
  if (!HOST.test(host) || (user !== undefined && !USER.test(user)) || Number(port) > 65_535) {
    throw new EngineError('invalid', `not an ssh address: ${text} (ssh://user@host:port)`);
  }
  return {
    user,
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
    engine: scheme === 'pinnace+ssh' ? 'pinnace' : 'any',
  };
}

const PINNACE = 'exec pinnace dial-stdio';
const ANY = `if command -v docker >/dev/null 2>&1; then exec docker system dial-stdio; else ${PINNACE}; fi`;

/** The words of the ssh command. BatchMode: nobody is there to answer a question. */
export function sshCommand(target: SshTarget): string[] {
  const options = ['ConnectTimeout=15', 'ServerAliveInterval=15', 'ServerAliveCountMax=3'];
  return [
    'ssh',
    '-T',
    ...[...options, 'BatchMode=yes', 'ForwardX11=no', 'ClearAllForwardings=yes'].flatMap((each) => [
      '-o',
      each,
    ]),
    ...(target.user === undefined ? [] : ['-l', target.user]),
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    '--',
    target.host,
    // The login shell there may be any; all read single quotes alike.
    `sh -c '${target.engine === 'pinnace' ? PINNACE : ANY}'`,
  ];
}

/** A connection through one run of a command; `name` is how errors call the other side. */
export function dialCommand(name: string, words: readonly string[]): Duplex {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { stdio: 'pipe' });
  return new CommandSocket(name, child);
}

const ERROR_TAIL = 2000;

/** A child's standard input and output as one socket; what it says on standard error is why a connection broke. */
class CommandSocket extends Duplex {
  private readonly child: ChildProcessWithoutNullStreams;
  private complaint = '';

  constructor(name: string, child: ChildProcessWithoutNullStreams) {
    super({ allowHalfOpen: true });
    this.child = child;
    child.stdout.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout.pause();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.complaint = (this.complaint + chunk.toString('utf8')).slice(-ERROR_TAIL);
    });
    child.stdin.on('error', () => undefined); // The end of the child tells why.
    child.once('error', (cause) => {
      const text = `${name}: the program ${child.spawnfile} could not be run: ${cause.message}`;
      this.destroy(new EngineError('unavailable', text, { cause }));
    });
    child.once('close', (status) => {
      if (status === 0 || this.destroyed) {
        this.push(null);
        return;
      }
      const why = this.complaint.trim() || `${child.spawnfile} ended with status ${String(status)}`;
      this.destroy(new EngineError('unavailable', `${name}: ${why}`));
    });
  }

  override _read(): void {
    this.child.stdout.resume();
  }

  override _write(
    chunk: Buffer,
    _encoding: BufferEncoding,
    done: (error?: Error | null) => void,
  ): void {
    if (this.child.stdin.write(chunk)) done();
    else this.child.stdin.once('drain', () => done());
  }

  override _final(done: () => void): void {
    this.child.stdin.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.child.stdin.destroy();
    this.child.stdout.destroy();
    if (this.child.exitCode === null) this.child.kill('SIGTERM');
    done(error);
  }

  // What node:http asks of every socket.
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setTimeout(): this {
    return this;
  }
  ref(): this {
    this.child.ref();
    return this;
  }
  unref(): this {
    this.child.unref();
    return this;
  }
}
