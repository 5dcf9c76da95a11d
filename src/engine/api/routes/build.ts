/** The routes of the image builder: it checks the query and hands the context on as it streams in. */

import type { Readable } from 'node:stream';
import { EngineError } from '../../../lib/errors.ts';
import type { AuthConfig } from '../../../lib/api/system.ts';
import { checkShape } from '../body.ts';
import type { Exchange, Handlers } from '../exchange.ts';
import { jsonHeader, sendJson } from '../exchange.ts';
import { checkFilters } from '../query.ts';
import type { Query } from '../query.ts';
import { AUTH_FIELDS } from '../shapes.ts';
import { runWithLines } from '../streams.ts';

interface CheckedBuild {
  readonly dockerfile: string;
  readonly tags: readonly string[];
  readonly buildArgs: Readonly<Record<string, string | null>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly quiet: boolean;
  readonly squash: boolean;
  readonly platform: string;
  readonly networkMode: string;
  readonly extraHosts: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly shmSize: number;
  readonly resources: Readonly<Record<string, unknown>>;
  readonly auths: Readonly<Record<string, AuthConfig>>;
  readonly recordContext?: string;
  readonly recordDockerfile?: string;
}

/** What these routes call. */
export interface BuildService {
  build(
    context: Readable,
    options: CheckedBuild,
    io: { write: (message: object) => void; signal: AbortSignal },
  ): Promise<string>;
  prune(options: { all: boolean }): Promise<{ CachesDeleted: string[]; SpaceReclaimed: number }>;
}

export function buildRoutes(builder: BuildService): Pick<Handlers, 'build.run' | 'build.prune'> {
  return {
    'build.run': async (exchange) => {
      const options = checkBuild(exchange);
      await runWithLines(exchange, async (lines) => {
        const id = await builder.build(exchange.body, options, {
          write: (message) => {
            if (!options.quiet || 'aux' in message) lines.write(message);
          },
          signal: exchange.signal,
        });
        if (options.quiet) lines.write({ stream: `${id}\n` });
      });
    },
    'build.prune': async (exchange) => {
      const { query } = exchange;
      checkFilters(query.filters(), []);
      sendJson(exchange, await builder.prune({ all: query.bool('all') }));
    },
  };
}

function checkBuild(exchange: Exchange): CheckedBuild {
  const { query } = exchange;
  refuse(query);
  const networkMode = query.optional('networkmode') ?? 'default';
  return {
    dockerfile: query.optional('dockerfile') ?? 'Dockerfile',
    tags: query.all('t'),
    buildArgs: query.stringMap('buildargs'),
    labels: labelsOf(query),
    target: query.text('target'),
    noCache: query.bool('nocache'),
    pull: query.bool('pull'),
    quiet: query.bool('q'),
    squash: query.bool('squash'),
    platform: query.text('platform'),
    networkMode,
    extraHosts: query.all('extrahosts'),
    cacheFrom: stringList(query, 'cachefrom'),
    shmSize: query.int('shmsize', { min: 0 }) ?? 0,
    resources: resourcesOf(query),
    auths: authsOf(exchange),
    ...recordPath(query, 'pinnace.context', 'recordContext'),
    ...recordPath(query, 'pinnace.dockerfile', 'recordDockerfile'),
  };
}

/** A path on the client's machine: it is shown and compared, never opened. */
function recordPath(
  query: Query,
  name: string,
  member: 'recordContext' | 'recordDockerfile',
): Partial<CheckedBuild> {
  const path = query.optional(name);
  if (path === undefined) return {};
  if (!path.startsWith('/') || path.length > 4096 || path.includes('\0'))
    throw new EngineError('invalid', `the query parameter ${name} is not an absolute path`);
  return { [member]: path };
}

/** The options that would change what is built and cannot be honoured. */
function refuse(query: Query): void {
  const remote = query.optional('remote');
  if (remote !== undefined) {
    throw new EngineError(
      'not-implemented',
      `remote=${remote.slice(0, 100)}: a build takes its context in the request's body; fetch it first`,
    );
  }
  if (query.optional('version') === '2' || query.has('session')) {
    throw new EngineError(
      'not-implemented',
      'version=2 (BuildKit sessions) is not implemented; build with DOCKER_BUILDKIT=0',
    );
  }
  if (query.bool('squash'))
    throw new EngineError(
      'not-implemented',
      'squash=1 is not implemented; use a multi-stage build',
    );
  if (query.optional('outputs') !== undefined && query.text('outputs') !== '[]') {
    throw new EngineError('not-implemented', 'outputs: only an image can be the result of a build');
  }
}

function resourcesOf(query: Query): Record<string, unknown> {
  const resources: Record<string, unknown> = {};
  const numbers: readonly (readonly [string, string])[] = [
    ['memory', 'Memory'],
    ['memswap', 'MemorySwap'],
    ['cpushares', 'CpuShares'],
    ['cpuperiod', 'CpuPeriod'],
    ['cpuquota', 'CpuQuota'],
  ];
  for (const [name, field] of numbers) {
    const value = query.int(name, { min: -1 });
    if (value !== undefined && value !== 0) resources[field] = value;
  }
  const texts: readonly (readonly [string, string])[] = [
    ['cpusetcpus', 'CpusetCpus'],
    ['cpusetmems', 'CpusetMems'],
    ['cgroupparent', 'CgroupParent'],
  ];
  for (const [name, field] of texts) {
    const value = query.optional(name);
    if (value !== undefined) resources[field] = value;
  }
  const ulimits = query.json('ulimits');
  if (ulimits !== undefined && ulimits !== null) {
    checkShape(
      ulimits,
      { list: { fields: { Name: 'string', Soft: 'integer', Hard: 'integer' } } },
      'ulimits',
    );
    resources['Ulimits'] = ulimits;
  }
  return resources;
}

function labelsOf(query: Query): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const [key, value] of Object.entries(query.stringMap('labels'))) labels[key] = value ?? '';
  return labels;
}

function stringList(query: Query, name: string): string[] {
  const value = query.json(name) ?? [];
  checkShape(value, 'strings', name);
  return value as string[];
}

function authsOf(exchange: Exchange): Record<string, AuthConfig> {
  const auths = jsonHeader(exchange, 'x-registry-config') ?? {};
  checkShape(auths, { map: AUTH_FIELDS }, 'X-Registry-Config');
  return auths as Record<string, AuthConfig>;
}
