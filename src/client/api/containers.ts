/** The typed calls on containers, their execs and their files. References are names, ids or unique id prefixes. */

import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { EngineError } from '../../lib/errors.ts';
import type {
  ContainerCreateRequest,
  ContainerInspect,
  ContainerSummary,
  ContainerUpdateRequest,
  ExecCreateRequest,
  ExecInspect,
  ListeningPort,
  PathStat,
} from '../../lib/api/containers.ts';
import type { Filters } from '../../lib/api/system.ts';
import { readJsonLines } from './streams.ts';
import type { Hijacked, Transport } from './transport.ts';

export interface WaitResult {
  StatusCode: number;
  Error?: { Message: string } | null;
}

export interface AttachRequest {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly logs?: boolean;
  readonly detachKeys?: string;
}

export interface LogRequest {
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly follow?: boolean;
  readonly timestamps?: boolean;
  /** Lines from the end, or `all`. */
  readonly tail?: number | 'all';
  /** Seconds since the epoch, with a fraction, or RFC 3339. */
  readonly since?: string;
  readonly until?: string;
}

/** A stream and whether it is multiplexed (`demultiplex` takes it apart) or raw (tty). */
export interface LogStream {
  readonly stream: Readable;
  readonly multiplexed: boolean;
}

type Signal = { readonly signal?: AbortSignal };

export class ContainersApi {
  private readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  list(
    options: { all?: boolean; limit?: number; size?: boolean; filters?: Filters } & Signal = {},
  ): Promise<ContainerSummary[]> {
    const { signal, filters, ...query } = options;
    return this.transport.json('container.list', {
      query: { ...query, filters: filterText(filters) },
      ...withSignal(signal),
    });
  }

  create(
    name: string | undefined,
    request: ContainerCreateRequest,
    options: { platform?: string } & Signal = {},
  ): Promise<{ Id: string; Warnings: string[] }> {
    return this.transport.json('container.create', {
      query: { name, platform: options.platform },
      json: request,
      ...withSignal(options.signal),
    });
  }

  inspect(id: string, options: { size?: boolean } & Signal = {}): Promise<ContainerInspect> {
    return this.transport.json('container.inspect', {
      params: { id },
      query: { size: options.size },
      ...withSignal(options.signal),
    });
  }

  start(id: string, options: Signal = {}): Promise<'done' | 'not-modified'> {
    return this.transport.send('container.start', {
      params: { id },
      ...withSignal(options.signal),
    });
  }

  stop(
    id: string,
    options: { timeout?: number; stopSignal?: string } & Signal = {},
  ): Promise<'done' | 'not-modified'> {
    const query = { t: options.timeout, signal: options.stopSignal };
    return this.transport.send('container.stop', {
      params: { id },
      query,
      ...withSignal(options.signal),
    });
  }

  async restart(
    id: string,
    options: { timeout?: number; stopSignal?: string } & Signal = {},
  ): Promise<void> {
    const query = { t: options.timeout, signal: options.stopSignal };
    await this.transport.send('container.restart', {
      params: { id },
      query,
      ...withSignal(options.signal),
    });
  }

  async kill(id: string, signalName = 'KILL'): Promise<void> {
    await this.transport.send('container.kill', { params: { id }, query: { signal: signalName } });
  }

  async pause(id: string): Promise<void> {
    await this.transport.send('container.pause', { params: { id } });
  }

  async unpause(id: string): Promise<void> {
    await this.transport.send('container.unpause', { params: { id } });
  }

  async rename(id: string, name: string): Promise<void> {
    await this.transport.send('container.rename', { params: { id }, query: { name } });
  }

  update(id: string, request: ContainerUpdateRequest): Promise<{ Warnings: string[] }> {
    return this.transport.json('container.update', { params: { id }, json: request });
  }

  async remove(
    id: string,
    options: { force?: boolean; volumes?: boolean } & Signal = {},
  ): Promise<void> {
    const query = { force: options.force, v: options.volumes };
    await this.transport.send('container.remove', {
      params: { id },
      query,
      ...withSignal(options.signal),
    });
  }

  prune(
    filters?: Filters,
  ): Promise<{ ContainersDeleted: string[] | null; SpaceReclaimed: number }> {
    return this.transport.json('container.prune', { query: { filters: filterText(filters) } });
  }

  /** Resolves once the engine watches the container (start it only then); `result` settles at its end. */
  async wait(
    id: string,
    condition: 'not-running' | 'next-exit' | 'removed',
    options: Signal = {},
  ): Promise<{ readonly result: Promise<WaitResult> }> {
    const answer = await this.transport.open('container.wait', {
      params: { id },
      query: { condition },
      ...withSignal(options.signal),
    });
    const result = (async () => {
      for await (const line of readJsonLines<WaitResult>(answer)) return line;
      throw new EngineError('unavailable', `the engine ended before container ${id} did`);
    })();
    // The caller may look at it later: an early failure must not count as unhandled.
    result.catch(() => undefined);
    return { result };
  }

  /** Works before start; the stream then has everything from the first byte. */
  async attach(
    id: string,
    request: AttachRequest & Signal,
  ): Promise<Hijacked & { readonly multiplexed: boolean }> {
    const { signal, ...streams } = request;
    return multiplexing(
      await this.transport.hijack('container.attach', {
        params: { id },
        query: { stream: true, ...streams },
        ...withSignal(signal),
      }),
    );
  }

  async resize(
    id: string,
    size: { readonly height: number; readonly width: number },
  ): Promise<void> {
    await this.transport.send('container.resize', {
      params: { id },
      query: { h: size.height, w: size.width },
    });
  }

  top(id: string, psArgs = ''): Promise<{ Titles: string[]; Processes: string[][] }> {
    return this.transport.json('container.top', {
      params: { id },
      query: psArgs === '' ? {} : { ps_args: psArgs },
    });
  }

  async logs(id: string, request: LogRequest & Signal): Promise<LogStream> {
    const { signal, ...query } = request;
    const stream = await this.transport.open('container.logs', {
      params: { id },
      query,
      ...withSignal(signal),
    });
    return { stream, multiplexed: isMultiplexed(stream.headers['content-type'] ?? '') };
  }

  /** Once a second until the loop ends, or one value with `stream: false`. */
  async *stats(
    id: string,
    options: { stream: boolean; oneShot?: boolean } & Signal,
  ): AsyncGenerator<Record<string, unknown>, void, undefined> {
    const query = { stream: options.stream ? '1' : '0', 'one-shot': options.oneShot };
    yield* readJsonLines(
      await this.transport.open('container.stats', {
        params: { id },
        query,
        ...withSignal(options.signal),
      }),
    );
  }

  /** TCP ports that something in the container listens on; Pinnace's own. */
  listeningPorts(id: string, options: Signal = {}): Promise<ListeningPort[]> {
    return this.transport.json('pinnace.ports', { params: { id }, ...withSignal(options.signal) });
  }

  /** A connection to a port inside the container; Pinnace's own. Half-close works both ways. */
  async dial(id: string, port: number, options: Signal = {}): Promise<Socket> {
    const hijacked = await this.transport.hijack('pinnace.dial', {
      params: { id },
      query: { port },
      ...withSignal(options.signal),
    });
    return hijacked.socket;
  }

  changes(id: string): Promise<{ Path: string; Kind: 0 | 1 | 2 }[] | null> {
    return this.transport.json('container.changes', { params: { id } });
  }

  /** An image of the container as it is; its id. */
  async commit(
    id: string,
    options: {
      repo?: string;
      tag?: string;
      comment?: string;
      author?: string;
      pause?: boolean;
      changes?: readonly string[];
    } & Signal = {},
  ): Promise<string> {
    const { signal, pause, ...query } = options;
    const { Id } = await this.transport.json<{ Id: string }>('image.commit', {
      // Left out it means true: false has to be said.
      query: { container: id, ...query, pause: pause === false ? '0' : '1' },
      // Podman wants a body: the configuration is not changed.
      json: null,
      ...withSignal(signal),
    });
    return Id;
  }

  export(id: string, options: Signal = {}): Promise<Readable> {
    return this.transport.open('container.export', {
      params: { id },
      ...withSignal(options.signal),
    });
  }

  /** Throws not-found for a path that is not there. */
  async archiveStat(id: string, path: string): Promise<PathStat> {
    const answer = await this.transport.open('archive.stat', { params: { id }, query: { path } });
    answer.resume();
    return pathStat(answer.headers['x-docker-container-path-stat']);
  }

  async archiveGet(
    id: string,
    path: string,
    options: Signal = {},
  ): Promise<{ readonly stat: PathStat; readonly tar: Readable }> {
    const tar = await this.transport.open('archive.get', {
      params: { id },
      query: { path },
      ...withSignal(options.signal),
    });
    return { stat: pathStat(tar.headers['x-docker-container-path-stat']), tar };
  }

  async archivePut(
    id: string,
    path: string,
    tar: Readable,
    options: { noOverwriteDirNonDir?: boolean; copyUidGid?: boolean } & Signal = {},
  ): Promise<void> {
    const query = {
      path,
      noOverwriteDirNonDir: options.noOverwriteDirNonDir,
      copyUIDGID: options.copyUidGid,
    };
    await this.transport.send('archive.put', {
      params: { id },
      query,
      body: tar,
      ...withSignal(options.signal),
    });
  }

  execCreate(id: string, request: ExecCreateRequest): Promise<{ Id: string }> {
    return this.transport.json('exec.create', { params: { id }, json: request });
  }

  async execStart(
    id: string,
    options: { tty: boolean } & Signal,
  ): Promise<Hijacked & { readonly multiplexed: boolean }> {
    const json = { Detach: false, Tty: options.tty };
    return multiplexing(
      await this.transport.hijack('exec.start', {
        params: { id },
        json,
        ...withSignal(options.signal),
      }),
    );
  }

  async execStartDetached(id: string): Promise<void> {
    await this.transport.send('exec.start', { params: { id }, json: { Detach: true, Tty: false } });
  }

  execInspect(id: string): Promise<ExecInspect> {
    return this.transport.json('exec.inspect', { params: { id } });
  }

  async execResize(
    id: string,
    size: { readonly height: number; readonly width: number },
  ): Promise<void> {
    await this.transport.send('exec.resize', {
      params: { id },
      query: { h: size.height, w: size.width },
    });
  }
}

/** The query's text of filters. */
export function filterText(filters: Filters | undefined): string | undefined {
  return filters === undefined || Object.keys(filters).length === 0
    ? undefined
    : JSON.stringify(filters);
}

export function withSignal(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function isMultiplexed(contentType: string): boolean {
  return contentType.startsWith('application/vnd.docker.multiplexed-stream');
}

function multiplexing(hijacked: Hijacked): Hijacked & { readonly multiplexed: boolean } {
  return { ...hijacked, multiplexed: isMultiplexed(hijacked.contentType) };
}

function pathStat(header: string | string[] | undefined): PathStat {
  if (typeof header !== 'string')
    throw new EngineError('internal', 'the engine sent no X-Docker-Container-Path-Stat header');
  return JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as PathStat;
}
