/** Reaches an engine on another machine through the system's own ssh program, whose keys, hosts and agent are the user's. Stores no secret. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { Duplex } from 'node:stream';
import { EngineError, type ErrorKind } from '../../lib/errors.ts';

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

interface Reason {
  readonly pattern: RegExp;
  /** Whether the pattern's own words are too long to be shown. */
  readonly replaces?: true;
  /** `unavailable` where it is left out: trying again may help. */
  readonly kind?: ErrorKind;
  readonly hint: (target: SshTarget, login: string) => string;
}

/** What ssh, or the other side, says → what that means and what can be done. The first that fits is taken. */
const REASONS: readonly Reason[] = [
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    replaces: true,
    kind: 'forbidden',
    hint: ({ host, port }) =>
      `its host key is not the one that is known here: the host was made anew, or somebody is in between; if you know that it was, forget the old key with: ssh-keygen -R '${port === undefined ? host : `[${host}]:${port}`}'`,
  },
  {
    pattern: /Host key verification failed/,
    kind: 'forbidden',
    hint: (_target, login) =>
      `its host key is not known here yet; connect once with: ${login} and check the key that it shows`,
  },
  {
    pattern:
      /permission denied while trying to connect|dial unix [^:]+: connect: permission denied/,
    hint: ({ user }) =>
      `${user ?? 'the user'} may not use Docker there; add the user to the group docker, or use pinnace+ssh:// for Pinnace's own engine`,
  },
  {
    pattern: /dial unix [^:]+: connect: |Cannot connect to the Docker daemon/,
    hint: () =>
      'docker is there, but its engine does not run; start it, or use pinnace+ssh:// for Pinnace on that machine',
  },
  {
    pattern: /Permission denied|Too many authentication failures|no mutual signature/,
    kind: 'unauthorized',
    hint: (_target, login) =>
      `the host accepts none of your keys for that user; add one to your agent with ssh-add, and try: ${login}`,
  },
  {
    pattern: /(?:pinnace|docker): (?:command )?not found/,
    hint: ({ engine }, login) =>
      `${engine === 'pinnace' ? 'pinnace is not' : 'neither docker nor pinnace is'} in the PATH of commands there; install it, and try: ${login} ${engine === 'pinnace' ? 'pinnace' : 'docker'} --version`,
  },
  {
    pattern: /Could not resolve hostname/,
    hint: ({ host }) => `nobody knows a host ${host}; check the name, or ~/.ssh/config`,
  },
  {
    pattern:
      /Connection refused|timed out|No route to host|Network is unreachable|Connection reset|[Cc]losed by|not responding|Broken pipe/,
    hint: () => 'check that the host is up and that its SSH server listens there',
  },
];

/** What the command said, with the way out where one is known. */
export function explainSsh(complaint: string, target: SshTarget): Complaint {
  const found = REASONS.find(({ pattern }) => pattern.test(complaint));
  if (found === undefined) return { kind: 'unavailable', text: complaint };
  const port = target.port === undefined ? '' : `-p ${target.port} `;
  const user = target.user === undefined ? '' : `${target.user}@`;
  const hint = found.hint(target, `ssh ${port}${user}${target.host}`);
  return {
    kind: found.kind ?? 'unavailable',
    text: found.replaces === true ? hint : `${complaint}; ${hint}`,
  };
}

export interface Complaint {
  readonly kind: ErrorKind;
  readonly text: string;
}

/** A connection through one run of a command; `name` is how errors call the other side, `explain` adds the way out to what it says. */
export function dialCommand(
  name: string,
  words: readonly string[],
  explain: (complaint: string) => Complaint = (text) => ({ kind: 'unavailable', text }),
): Duplex {
  const [program = '', ...args] = words;
  const child = spawn(program, args, { stdio: 'pipe' });
  return new CommandSocket(name, child, explain);
}

const ERROR_TAIL = 2000;

/** A child's standard input and output as one socket; what it says on standard error is why a connection broke. */
class CommandSocket extends Duplex {
  private readonly child: ChildProcessWithoutNullStreams;
  private complaint = '';

  constructor(
    name: string,
    child: ChildProcessWithoutNullStreams,
    explain: (complaint: string) => Complaint,
  ) {
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
      const { kind, text } = explain(why);
      this.destroy(new EngineError(kind, `${name}: ${text}`));
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
