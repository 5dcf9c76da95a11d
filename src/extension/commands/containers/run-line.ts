/**
 * The `docker run` command line that makes a container like the one at hand. Pure: what the engine says of the container
 * and its image in, shell text out. What the image brings by itself is left out.
 * Reference: docker run's flags, https://docs.docker.com/reference/cli/docker/container/run/.
 */
import type { ContainerConfig, ContainerInspect } from '../../../lib/api/containers.ts';
import type { ImageInspect } from '../../../lib/api/images.ts';
import type { RunConfig } from '../../../lib/image/config.ts';
import { asDockerTells } from './run-podman.ts';
import { limitFlags, mountFlags, networkFlags, securityFlags, type Flag } from './run-flags.ts';

/** Beyond this many characters each flag has a line of its own. */
const LINE = 120;

/** The whole line; `image` is undefined where the image is gone. Every word is quoted for a POSIX shell. */
export function runLine(found: ContainerInspect, image: ImageInspect | undefined): string {
  const container = asDockerTells(found);
  const { Config: config, HostConfig: host } = container;
  const base: RunConfig = image?.Config ?? {};
  const { entrypoint, words } = programOf(config, base);
  const flags: Flag[] = [
    ...terminalFlags(container),
    ['--name', container.Name.replace(/^\//, '')],
    ...(host.AutoRemove === true ? [['--rm'] as const] : []),
    ...configFlags(container, base),
    ...networkFlags(container, base),
    ...mountFlags(container, base),
    ...limitFlags(host),
    ...securityFlags(host),
    ...healthFlags(config, base),
    ...(entrypoint === undefined ? [] : [['--entrypoint', entrypoint] as const]),
  ];
  const parts = [
    ...flags.map((flag) => flag.map(quoteWord).join(' ')),
    [config.Image ?? container.Image, ...words].map(quoteWord).join(' '),
  ];
  const line = `docker run ${parts.join(' ')}`;
  return line.length <= LINE ? line : `docker run ${parts.join(' \\\n  ')}`;
}

/** The word as a POSIX shell reads it back. */
export function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

function terminalFlags({ Config: config }: ContainerInspect): Flag[] {
  const flags: Flag[] = [];
  const attached = [config.AttachStdin, config.AttachStdout, config.AttachStderr];
  if (!attached.includes(true)) flags.push(['--detach']);
  if (config.OpenStdin === true) flags.push(['--interactive']);
  if (config.Tty === true) flags.push(['--tty']);
  return flags;
}

function configFlags(container: ContainerInspect, base: RunConfig): Flag[] {
  const { Config: config } = container;
  const flags: Flag[] = [];
  const add = (flag: string, value: string | undefined, without = ''): void => {
    if (value !== undefined && value !== '' && value !== without) flags.push([flag, value]);
  };
  // Engines call a container's host by its id where nobody named it, and hosts of others cannot be named.
  if (!/^(host|container:)/.test(container.HostConfig.NetworkMode ?? ''))
    add('--hostname', config.Hostname, container.Id.slice(0, 12));
  add('--domainname', config.Domainname);
  add('--user', config.User, base.User);
  add('--workdir', config.WorkingDir, (base.WorkingDir ?? '') === '' ? '/' : base.WorkingDir);
  const inherited = new Set(base.Env ?? []);
  for (const entry of config.Env ?? []) if (!inherited.has(entry)) flags.push(['--env', entry]);
  for (const [name, value] of Object.entries(config.Labels ?? {})) {
    if (base.Labels?.[name] !== value)
      flags.push(['--label', value === '' ? name : `${name}=${value}`]);
  }
  add('--stop-signal', config.StopSignal, base.StopSignal ?? 'SIGTERM');
  const timeout = config.StopTimeout;
  if (typeof timeout === 'number' && timeout !== base.StopTimeout)
    flags.push(['--stop-timeout', String(timeout)]);
  return flags;
}

/** What the container runs, where that is not what the image says. Naming an entry point drops the image's command. */
function programOf(
  config: ContainerConfig,
  base: RunConfig,
): { readonly entrypoint: string | undefined; readonly words: readonly string[] } {
  const entry = wordsOf(config.Entrypoint);
  const words = wordsOf(config.Cmd);
  const sameEntry = same(entry, base.Entrypoint ?? []);
  if (!sameEntry) return { entrypoint: entry[0] ?? '', words: [...entry.slice(1), ...words] };
  return { entrypoint: undefined, words: same(words, base.Cmd ?? []) ? [] : words };
}

function wordsOf(value: string[] | string | null | undefined): string[] {
  return typeof value === 'string' ? [value] : (value ?? []);
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((word, index) => word === other[index]);
}

function healthFlags(config: ContainerConfig, base: RunConfig): Flag[] {
  const health = config.Healthcheck;
  if (health === null || health === undefined) return [];
  if (JSON.stringify(health) === JSON.stringify(base.Healthcheck)) return [];
  const [kind, ...test] = health.Test ?? [];
  if (kind === 'NONE') return [['--no-healthcheck']];
  const flags: Flag[] = [];
  if (kind === 'CMD-SHELL') flags.push(['--health-cmd', test.join(' ')]);
  // The command line knows only checks by a shell.
  if (kind === 'CMD') flags.push(['--health-cmd', test.map(quoteWord).join(' ')]);
  const times = [
    ['--health-interval', health.Interval],
    ['--health-timeout', health.Timeout],
    ['--health-start-period', health.StartPeriod],
    ['--health-start-interval', health.StartInterval],
  ] as const;
  for (const [flag, value] of times) if ((value ?? 0) > 0) flags.push([flag, duration(value ?? 0)]);
  if ((health.Retries ?? 0) > 0) flags.push(['--health-retries', String(health.Retries)]);
  return flags;
}

/** Nanoseconds in the largest unit that leaves no rest. */
function duration(nanoseconds: number): string {
  const units = [
    ['h', 3_600_000_000_000],
    ['m', 60_000_000_000],
    ['s', 1_000_000_000],
    ['ms', 1_000_000],
    ['us', 1000],
  ] as const;
  const [name, length] = units.find(([, unit]) => nanoseconds % unit === 0) ?? ['ns', 1];
  return `${String(nanoseconds / length)}${name}`;
}
