/** The routes that carry a container's streams: attach, logs, stats, export and the execs. */

import { setInterval } from 'node:timers/promises';
import type { Duplex, Readable } from 'node:stream';
import type {
  ContainerInspect,
  ExecCreateRequest,
  ExecInspect,
} from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import { readJson, requireJson } from '../body.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { param, sendEmpty, sendJson } from '../exchange.ts';
import { EXEC_CREATE_SHAPE, EXEC_START_SHAPE } from '../shapes.ts';
import { hijack, openLines, sendStream, streamType } from '../streams.ts';
import { sizeOf } from './containers.ts';

interface Framed<T> {
  readonly tty: boolean;
  readonly stream: T;
}

/** What these routes call. */
export interface StreamService {
  inspect(ref: string, options: { size: boolean }): Promise<ContainerInspect>;
  attach(
    ref: string,
    options: {
      stream: boolean;
      logs: boolean;
      stdin: boolean;
      stdout: boolean;
      stderr: boolean;
      detachKeys: string | undefined;
    },
  ): Promise<Framed<Duplex>>;
  logs(
    ref: string,
    options: {
      stdout: boolean;
      stderr: boolean;
      follow: boolean;
      timestamps: boolean;
      tail: number | undefined;
      sinceNano: number | undefined;
      untilNano: number | undefined;
    },
    signal: AbortSignal,
  ): Promise<Framed<Readable>>;
  stats(ref: string, options: { oneShot: boolean }): Promise<Record<string, unknown>>;
  export(ref: string, signal: AbortSignal): Promise<Readable>;
  execCreate(ref: string, request: ExecCreateRequest): Promise<{ Id: string }>;
  execStart(
    id: string,
    options: { detach: boolean; tty: boolean; size: readonly [number, number] | undefined },
  ): Promise<Framed<Duplex> | null>;
  execInspect(id: string): ExecInspect;
  execResize(id: string, height: number, width: number): Promise<void>;
}

type Names =
  | 'container.attach'
  | 'container.logs'
  | 'container.stats'
  | 'container.export'
  | 'exec.create'
  | 'exec.start'
  | 'exec.resize'
  | 'exec.inspect';

const STATS_PERIOD_MS = 1000;

export function streamRoutes(containers: StreamService): Pick<Handlers, Names> {
  return {
    'container.attach': async (exchange) => {
      const { query } = exchange;
      const stdin = query.bool('stdin');
      const framed = await containers.attach(param(exchange, 'id'), {
        stream: query.bool('stream'),
        logs: query.bool('logs'),
        stdin,
        stdout: query.bool('stdout'),
        stderr: query.bool('stderr'),
        detachKeys: query.optional('detachKeys'),
      });
      await hijack(exchange, framed, { input: stdin && query.bool('stream') });
    },
    'container.logs': async (exchange) => sendLogs(containers, exchange),
    'container.stats': async (exchange) => sendStats(containers, exchange),
    'container.export': async (exchange) => {
      const tar = await containers.export(param(exchange, 'id'), exchange.signal);
      await sendStream(exchange, tar, { 'Content-Type': 'application/x-tar' });
    },
    'exec.create': async (exchange) => {
      const request = await requireJson<ExecCreateRequest>(exchange.body, EXEC_CREATE_SHAPE);
      // The engine's own shell needs no command.
      if (!request.Cmd?.length && request.PinnaceTool === undefined)
        throw new EngineError('invalid', 'no exec command specified');
      sendJson(exchange, await containers.execCreate(param(exchange, 'id'), request), 201);
    },
    'exec.start': async (exchange) => startExec(containers, exchange),
    'exec.resize': async (exchange) => {
      const { height, width } = sizeOf(exchange);
      await containers.execResize(param(exchange, 'id'), height, width);
      sendEmpty(exchange, 200);
    },
    'exec.inspect': (exchange) => sendJson(exchange, containers.execInspect(param(exchange, 'id'))),
  };
}

async function startExec(containers: StreamService, exchange: Exchange): Promise<void> {
  const id = param(exchange, 'id');
  const request = await readJson<{
    Detach?: boolean;
    Tty?: boolean;
    ConsoleSize?: number[] | null;
  }>(exchange.body, EXEC_START_SHAPE);
  const [height, width] = request?.ConsoleSize ?? [];
  const framed = await containers.execStart(id, {
    detach: request?.Detach ?? false,
    tty: request?.Tty ?? false,
    size: height !== undefined && width !== undefined ? [height, width] : undefined,
  });
  if (framed === null) sendEmpty(exchange, 200);
  else await hijack(exchange, framed, { input: containers.execInspect(id).OpenStdin });
}

async function sendLogs(containers: StreamService, exchange: Exchange): Promise<void> {
  const { query } = exchange;
  const stdout = query.bool('stdout');
  const stderr = query.bool('stderr');
  if (!stdout && !stderr)
    throw new EngineError('invalid', 'Bad parameters: you must choose at least one stream');
  const tail = query.text('tail');
  const framed = await containers.logs(
    param(exchange, 'id'),
    {
      stdout,
      stderr,
      follow: query.bool('follow'),
      timestamps: query.bool('timestamps'),
      // Docker reads anything that is no number as "all".
      tail: /^\d{1,9}$/.test(tail) ? Number(tail) : undefined,
      sinceNano: query.timeNano('since'),
      untilNano: query.timeNano('until'),
    },
    exchange.signal,
  );
  await sendStream(exchange, framed.stream, { 'Content-Type': streamType(exchange, framed) });
}

async function sendStats(containers: StreamService, exchange: Exchange): Promise<void> {
  const id = param(exchange, 'id');
  const stream = exchange.query.bool('stream', 'true');
  const oneShot = exchange.query.bool('one-shot');
  if (stream && oneShot)
    throw new EngineError('invalid', 'cannot have stream=true and one-shot=true');
  if (!stream) {
    sendJson(exchange, await containers.stats(id, { oneShot }));
    return;
  }
  const { signal } = exchange;
  const first = await containers.stats(id, { oneShot: true });
  const lines = openLines(exchange, { begin: 'now' });
  lines.write(first);
  for await (const ref of setInterval(STATS_PERIOD_MS, id, { signal })) {
    const { State } = await containers.inspect(ref, { size: false });
    if (State.Status === 'removing' || State.Status === 'dead') break;
    lines.write(await containers.stats(ref, { oneShot: true }));
  }
  lines.end();
}
