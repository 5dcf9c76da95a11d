/** The typed calls on the engine itself, its events, volumes and networks. */

import { EngineError } from '../../lib/errors.ts';
import type {
  AuthAnswer,
  AuthConfig,
  DiskUsage,
  EventMessage,
  Filters,
  Ping,
  PinnaceInfo,
  SystemInfo,
  Version,
  VolumeCreateRequest,
  VolumeInfo,
} from '../../lib/api/system.ts';
import { ONLOOKER_HEADER } from '../../lib/api/system.ts';
import { filterText, withSignal } from './containers.ts';
import { readJsonLines } from './streams.ts';
import type { Transport } from './transport.ts';

type Signal = { readonly signal?: AbortSignal };

export interface EventRequest {
  readonly since?: string;
  readonly until?: string;
  readonly filters?: Filters;
  /** The connection does not keep a Pinnace engine from ending when it has nothing to do. */
  readonly onlooker?: boolean;
}

export class SystemApi {
  private readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  async ping(options: Signal = {}): Promise<Ping> {
    const answer = await this.transport.open('system.ping', withSignal(options.signal));
    answer.resume();
    const header = (name: string): string => {
      const value = answer.headers[name];
      return typeof value === 'string' ? value : '';
    };
    return {
      apiVersion: header('api-version'),
      osType: header('ostype'),
      experimental: header('docker-experimental') === 'true',
      builderVersion: header('builder-version'),
      server: header('server'),
    };
  }

  version(options: Signal = {}): Promise<Version> {
    return this.transport.json('system.version', withSignal(options.signal));
  }

  info(options: Signal = {}): Promise<SystemInfo> {
    return this.transport.json('system.info', withSignal(options.signal));
  }

  diskUsage(options: Signal = {}): Promise<DiskUsage> {
    return this.transport.json('system.df', withSignal(options.signal));
  }

  /** Seconds since the epoch or RFC 3339; with `until` in the past the loop ends by itself. */
  async *events(
    options: EventRequest & Signal = {},
  ): AsyncGenerator<EventMessage, void, undefined> {
    yield* await this.watch(options);
  }

  /** As events(), but resolves once the engine watches: what happens from then on is told. */
  async watch(
    options: EventRequest & Signal = {},
  ): Promise<AsyncGenerator<EventMessage, void, undefined>> {
    const query = {
      since: options.since,
      until: options.until,
      filters: filterText(options.filters),
    };
    const stream = await this.transport.open('system.events', {
      query,
      ...(options.onlooker === true ? { headers: { [ONLOOKER_HEADER]: '1' } } : {}),
      ...withSignal(options.signal),
    });
    return readJsonLines<EventMessage>(stream);
  }

  auth(credentials: AuthConfig, options: Signal = {}): Promise<AuthAnswer> {
    return this.transport.json('system.auth', { json: credentials, ...withSignal(options.signal) });
  }

  /** undefined when the engine is not Pinnace (Docker, Podman). */
  async pinnaceInfo(options: Signal = {}): Promise<PinnaceInfo | undefined> {
    try {
      return await this.transport.json<PinnaceInfo>('pinnace.info', withSignal(options.signal));
    } catch (error) {
      if (error instanceof EngineError && error.kind === 'not-found') return undefined;
      throw error;
    }
  }

  /** Ends the engine; its containers go on. */
  async shutdown(): Promise<void> {
    await this.transport.send('pinnace.shutdown');
  }
}

export class VolumesApi {
  private readonly transport: Transport;

  constructor(transport: Transport) {
    this.transport = transport;
  }

  list(filters?: Filters): Promise<{ Volumes: VolumeInfo[] | null; Warnings: string[] | null }> {
    return this.transport.json('volume.list', { query: { filters: filterText(filters) } });
  }

  create(request: VolumeCreateRequest): Promise<VolumeInfo> {
    return this.transport.json('volume.create', { json: request });
  }

  inspect(name: string): Promise<VolumeInfo> {
    return this.transport.json('volume.inspect', { params: { name } });
  }

  async remove(name: string, options: { force?: boolean } = {}): Promise<void> {
    await this.transport.send('volume.remove', {
      params: { name },
      query: { force: options.force },
    });
  }

  prune(filters?: Filters): Promise<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }> {
    return this.transport.json('volume.prune', { query: { filters: filterText(filters) } });
  }
}
