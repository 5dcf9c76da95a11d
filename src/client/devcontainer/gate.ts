/**
 * The loopback door of an open container: an HTTP proxy to the VS Code Server inside, and below `BASE/proxy/PORT/` to the
 * container's other ports, which the editor inside links to. Those are only for who has the server's token, as its pages are.
 */
import { timingSafeEqual } from 'node:crypto';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { type Duplex, pipeline } from 'node:stream';
import { messageOf } from '../../lib/errors.ts';
import { joinStreams, listenOnLoopback } from './loopback.ts';

export interface Gate {
  /** Of 127.0.0.1. */
  readonly port: number;
  close(): void;
}

export interface GateOptions {
  /** A stream to a port of the container's loopback. */
  readonly dial: (port: number) => Promise<Duplex>;
  /** Where the server listens inside. */
  readonly inner: number;
  /** Its token; `` keeps the other ports closed. */
  readonly token: string;
  /** Is listened on when it is free. */
  readonly preferred?: number;
  /** Told how many connections are open. */
  readonly onChange: (open: number) => void;
}

/** Cookies of many tools on one host name are sent to all of them. */
const HEADERS_LIMIT = 64 * 1024;
/** Servers on Node close after five seconds. */
const IDLE_MS = 4000;
const TOKEN_COOKIE = 'vscode-tkn';
const OF_ONE_HOP = new Set(['connection', 'keep-alive', 'proxy-connection']);

/** Throws `unavailable` when no port of the loopback can be listened on. */
export async function openGate(options: GateOptions): Promise<Gate> {
  const agents = new Map<number, ContainerAgent>();
  const agentOf = (port: number): ContainerAgent => {
    const agent = agents.get(port) ?? new ContainerAgent(() => options.dial(port));
    agents.set(port, agent);
    return agent;
  };
  let open = 0;
  const server = createServer({ maxHeaderSize: HEADERS_LIMIT, requestTimeout: 0 });
  server.on('connection', (socket) => {
    options.onChange(++open);
    socket.on('close', () => options.onChange(--open));
  });
  server.on('request', (asked, answer) => {
    const target = targetOf(asked, options);
    if (typeof target === 'object') passOn(asked, answer, target, agentOf(target.port));
    else refuse(asked, answer, target);
  });
  server.on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) => {
    const target = targetOf(asked, options);
    if (typeof target !== 'object') {
      socket.end(`HTTP/1.1 ${target} Refused\r\nConnection: close\r\n\r\n`);
      return;
    }
    options.dial(target.port).then(
      (inner) => joinUpgraded(asked, { socket, inner, head }, target),
      () => socket.destroy(),
    );
  });
  const port = await listenOnLoopback(server, options.preferred);
  return {
    port,
    close: () => {
      server.close();
      server.closeAllConnections();
      for (const agent of agents.values()) agent.destroy();
    },
  };
}

interface Target {
  readonly port: number;
  readonly path: string;
  /** Names and values by turns. */
  readonly headers: string[];
}

type Refusal = 301 | 403;

/** Where a request goes; the server's own pages ask for the token themselves. */
function targetOf(asked: IncomingMessage, { inner, token }: GateOptions): Target | Refusal {
  const url = asked.url ?? '/';
  const found = /^(?:\/[0-9a-f]{12})?\/proxy\/(\d{1,5})(\/[^?]*)?(\?.*)?$/.exec(url);
  if (found === null) return { port: inner, path: url, headers: headersOf(asked, () => true) };
  const port = Number(found[1]);
  if (!hasToken(asked, token) || port === inner || port > 65_535) return 403;
  if (found[2] === undefined) return 301;
  // A program of the container has no business with the key to its editor.
  const headers = headersOf(asked, (cookie) => !cookie.startsWith(`${TOKEN_COOKIE}=`));
  return { port, path: `${found[2]}${found[3] ?? ''}`, headers };
}

function headersOf(asked: IncomingMessage, keeps: (cookie: string) => boolean): string[] {
  const upgrades = asked.headers.upgrade !== undefined;
  return pairs(asked.rawHeaders).flatMap(([name, value]) => {
    if (!upgrades && OF_ONE_HOP.has(name.toLowerCase())) return [];
    if (name.toLowerCase() !== 'cookie') return [name, value];
    const cookies = value.split(/; */).filter(keeps);
    return cookies.length === 0 ? [] : [name, cookies.join('; ')];
  });
}

function hasToken(asked: IncomingMessage, token: string): boolean {
  if (token === '') return false;
  const wanted = Buffer.from(`${TOKEN_COOKIE}=${token}`);
  return (asked.headers.cookie ?? '').split(/; */).some((cookie) => {
    const given = Buffer.from(cookie);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
}

function passOn(
  asked: IncomingMessage,
  answer: ServerResponse,
  target: Target,
  agent: ContainerAgent,
): void {
  const { path, headers } = target;
  const passed = request({ agent, path, method: asked.method, headers, setHost: false });
  passed.on('response', (given) => {
    const kept = pairs(given.rawHeaders).filter(([name]) => !OF_ONE_HOP.has(name.toLowerCase()));
    answer.writeHead(given.statusCode ?? 502, given.statusMessage, kept.flat());
    pipeline(given, answer, () => undefined);
  });
  passed.on('error', (error) => {
    if (answer.headersSent) answer.destroy();
    // It was closed in the moment in which it was used again.
    else if (passed.reusedSocket && asked.method === 'GET' && !answer.destroyed)
      passOn(asked, answer, target, agent);
    else answer.writeHead(502, { 'Content-Type': 'text/plain' }).end(`${messageOf(error)}\n`);
  });
  answer.on('close', () => passed.destroy());
  // Without a body nothing is read that a second try would miss.
  if (asked.method === 'GET' && asked.headers['content-length'] === undefined) passed.end();
  else pipeline(asked, passed, () => undefined);
}

function refuse(asked: IncomingMessage, answer: ServerResponse, status: Refusal): void {
  if (status === 301) {
    const [path = '', query] = (asked.url ?? '').split('?');
    const place = `${path.split('/').at(-1) ?? ''}/${query === undefined ? '' : `?${query}`}`;
    answer.writeHead(301, { Location: place }).end();
    return;
  }
  answer.writeHead(403, { 'Content-Type': 'text/plain' });
  answer.end('This port is open to the window of its container only: open it from there.\n');
}

/** What follows an upgrade is not HTTP any more: the head is written as it came, then both ends are joined. */
function joinUpgraded(
  asked: IncomingMessage,
  { socket, inner, head }: { socket: Duplex; inner: Duplex; head: Buffer },
  { path, headers }: Target,
): void {
  if (socket.destroyed) {
    inner.destroy();
    return;
  }
  const lines = pairs(headers).map(([name, value]) => `${name}: ${value}`);
  inner.write(
    [`${asked.method ?? 'GET'} ${path} HTTP/${asked.httpVersion}`, ...lines, '', ''].join('\r\n'),
  );
  if (head.length > 0) inner.write(head);
  joinStreams(socket, inner);
}

function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, at) => [
    list[2 * at] ?? '',
    list[2 * at + 1] ?? '',
  ]);
}

/** Connections to one port of the container, used again; they need not be sockets of this machine. */
class ContainerAgent extends Agent {
  private readonly dial: () => Promise<Duplex>;

  constructor(dial: () => Promise<Duplex>) {
    super({ keepAlive: true });
    this.dial = dial;
  }

  override createConnection(
    _options: unknown,
    made?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    this.dial().then(
      (stream) => made?.(null, stream),
      (error: unknown) => made?.(error as Error, undefined as never),
    );
    return undefined;
  }

  /** The agent closes what was idle for so long, before the server does. Other streams than sockets have no such timer. */
  override keepSocketAlive(stream: Duplex): boolean {
    if (!(stream instanceof Socket)) return false;
    stream.setTimeout(IDLE_MS);
    stream.unref();
    return true;
  }
}
