/** Merges a create request with its image's defaults, as Docker does, and checks the result. Pure; messages name the member. */

import { posix } from 'node:path';
import type { ContainerConfig, ContainerCreateRequest } from '../../../lib/api/containers.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { HealthConfig, RunConfig } from '../../../lib/image/config.ts';
import { DEFAULT_PATH } from '../../runtime/spec.ts';
import { parseSignal } from './signals.ts';

export interface Merged {
  readonly config: ContainerConfig;
  readonly path: string;
  readonly args: readonly string[];
}

const MAX_HOSTNAME = 64;
const MILLISECOND = 1_000_000;

/** The container's Config and command. `id` gives the default host name. Throws `invalid`. */
export function mergeConfig(request: ContainerCreateRequest, image: RunConfig, id: string): Merged {
  const command = mergeCommand(request, image);
  const line = [...command.entrypoint, ...command.cmd];
  const [path, ...args] = line;
  if (path === undefined) throw new EngineError('invalid', 'no command specified');
  const hostname = request.Hostname ?? '';
  if (Buffer.byteLength(hostname) > MAX_HOSTNAME) {
    throw new EngineError('invalid', `Hostname: longer than ${String(MAX_HOSTNAME)} bytes`);
  }
  const stopSignal =
    request.StopSignal === undefined || request.StopSignal === ''
      ? image.StopSignal
      : request.StopSignal;
  if (stopSignal !== undefined && stopSignal !== '') parseSignal(stopSignal);
  const health = mergeHealth(request.Healthcheck ?? undefined, image.Healthcheck);
  const ports = { ...image.ExposedPorts, ...request.ExposedPorts };
  for (const port of Object.keys(ports)) checkPort(port, 'ExposedPorts');
  const volumes = { ...image.Volumes, ...request.Volumes };
  const shell = request.Shell ?? image.Shell;
  const config: ContainerConfig = {
    Hostname: hostname === '' ? id.slice(0, 12) : hostname,
    Domainname: request.Domainname ?? '',
    User: request.User === undefined || request.User === '' ? (image.User ?? '') : request.User,
    AttachStdin: request.AttachStdin ?? false,
    AttachStdout: request.AttachStdout ?? false,
    AttachStderr: request.AttachStderr ?? false,
    ...(Object.keys(ports).length === 0 ? {} : { ExposedPorts: ports }),
    Tty: request.Tty ?? false,
    OpenStdin: request.OpenStdin ?? false,
    StdinOnce: request.StdinOnce ?? false,
    Env: mergeEnv(request.Env ?? [], image.Env ?? []),
    Cmd: command.cmd.length === 0 ? null : command.cmd,
    ...(health === undefined ? {} : { Healthcheck: health }),
    Image: request.Image ?? '',
    Volumes: Object.keys(volumes).length === 0 ? null : volumes,
    WorkingDir: workingDir(request.WorkingDir, image.WorkingDir),
    Entrypoint: command.entrypoint.length === 0 ? null : command.entrypoint,
    OnBuild: image.OnBuild ?? null,
    Labels: { ...image.Labels, ...request.Labels },
    ...(stopSignal === undefined || stopSignal === '' ? {} : { StopSignal: stopSignal }),
    ...stopTimeout(request.StopTimeout ?? image.StopTimeout),
    ...(shell === undefined ? {} : { Shell: shell }),
  };
  return { config, path, args };
}

function stopTimeout(value: number | undefined): { StopTimeout?: number } {
  if (value === undefined) return {};
  if (!Number.isInteger(value))
    throw new EngineError('invalid', 'StopTimeout must be a whole number of seconds');
  return { StopTimeout: value };
}

/** An own entrypoint takes the image's command away; `[""]` takes the image's entrypoint away. */
function mergeCommand(
  request: ContainerCreateRequest,
  image: RunConfig,
): { entrypoint: string[]; cmd: string[] } {
  const own = toList(request.Entrypoint);
  let cmd = toList(request.Cmd) ?? [];
  let entrypoint = own ?? [];
  if (entrypoint.length === 0) {
    if (cmd.length === 0) cmd = [...(image.Cmd ?? [])];
    if (own === undefined) entrypoint = [...(image.Entrypoint ?? [])];
  }
  if (entrypoint.length === 1 && entrypoint[0] === '') entrypoint = [];
  return { entrypoint, cmd };
}

function toList(value: string | string[] | null | undefined): string[] | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' ? [value] : value;
}

function mergeEnv(own: readonly string[], image: readonly string[]): string[] {
  for (const entry of own) {
    if (entry === '' || entry.startsWith('='))
      throw new EngineError('invalid', `invalid environment variable: ${entry}`);
  }
  const names = new Set(own.map(nameOf));
  return [...own, ...image.filter((entry) => !names.has(nameOf(entry)))];
}

function nameOf(entry: string): string {
  const at = entry.indexOf('=');
  return at < 0 ? entry : entry.slice(0, at);
}

/** The environment of a process: what every container gets, then the configuration's; a bare `NAME` takes one away. */
export function processEnv(config: ContainerConfig, more: readonly string[] = []): string[] {
  const env = new Map<string, string>();
  const base = [
    DEFAULT_PATH,
    `HOSTNAME=${config.Hostname ?? ''}`,
    ...(config.Tty === true ? ['TERM=xterm'] : []),
  ];
  for (const entry of [...base, ...(config.Env ?? []), ...more]) {
    const name = nameOf(entry);
    if (name === entry) env.delete(name);
    else env.set(name, entry);
  }
  return [...env.values()];
}

function workingDir(own: string | undefined, image: string | undefined): string {
  const dir = own === undefined || own === '' ? (image ?? '') : own;
  if (dir === '') return '';
  if (!dir.startsWith('/')) {
    throw new EngineError(
      'invalid',
      `the working directory '${dir}' is invalid, it needs to be an absolute path`,
    );
  }
  return posix.normalize(dir).replace(/(.)\/$/, '$1');
}

function mergeHealth(
  own: HealthConfig | undefined,
  image: HealthConfig | undefined,
): HealthConfig | undefined {
  const merged: HealthConfig = { ...image };
  const inherits = own?.Test === undefined || own.Test.length === 0;
  if (own !== undefined) {
    if (!inherits && own.Test !== undefined) merged.Test = own.Test;
    for (const name of [
      'Interval',
      'Timeout',
      'StartPeriod',
      'StartInterval',
      'Retries',
    ] as const) {
      const value = own[name];
      if (value !== undefined && value !== 0) merged[name] = value;
    }
  }
  if (merged.Test === undefined || merged.Test.length === 0) return undefined;
  checkHealth(merged);
  return merged;
}

function checkHealth(health: HealthConfig): void {
  const [kind] = health.Test ?? [];
  if (kind !== 'NONE' && kind !== 'CMD' && kind !== 'CMD-SHELL') {
    throw new EngineError(
      'invalid',
      `Healthcheck.Test: unknown type "${kind ?? ''}", it is NONE, CMD or CMD-SHELL`,
    );
  }
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = health[name] ?? 0;
    if (value !== 0 && value < MILLISECOND) {
      throw new EngineError('invalid', `${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((health.Retries ?? 0) < 0)
    throw new EngineError('invalid', 'Retries in Healthcheck cannot be negative');
}

/** `80`, `80/udp`, `80-90/tcp`. Throws `invalid`. */
export function checkPort(port: string, field: string): { port: number; protocol: string } {
  const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(port);
  const [, first, last, protocol] = match ?? [];
  const number = Number(first);
  if (first === undefined || number > 65535 || Number(last ?? 0) > 65535) {
    throw new EngineError('invalid', `${field}: invalid port "${port}"`);
  }
  return { port: number, protocol: (protocol ?? 'tcp').toLowerCase() };
}
