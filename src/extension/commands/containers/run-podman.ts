/**
 * A container of Podman told as Docker tells its own, for the `docker run` line: without what Podman sets by itself and
 * with Docker's words for the rest. Pure; other engines' containers are handed back as they are.
 * Reference: podman's pkg/api/handlers/compat/containers.go and libpod/container_inspect_linux.go.
 */
import type { ContainerConfig, ContainerInspect, HostConfig } from '../../../lib/api/containers.ts';

/** Podman puts this into every container that it makes. */
const MARK = 'container=podman';

export function asDockerTells(container: ContainerInspect): ContainerInspect {
  if (container.Config.Env?.includes(MARK) !== true) return container;
  const networks = Object.fromEntries(
    Object.entries(container.NetworkSettings.Networks).map(([name, settings]) => [
      name === 'podman' ? 'bridge' : name,
      settings,
    ]),
  );
  return {
    ...container,
    Config: configOf(container),
    HostConfig: hostOf(container.HostConfig, Object.keys(networks)),
    NetworkSettings: { ...container.NetworkSettings, Networks: networks },
  };
}

function configOf({ Config: config, Id: id }: ContainerInspect): ContainerConfig {
  const { StopTimeout: timeout, StopSignal: signal, Env: env, ...rest } = config;
  const own = [MARK, 'TERM=xterm', `HOSTNAME=${config.Hostname ?? id.slice(0, 12)}`];
  if (['', 'root', '0'].includes(config.User ?? '')) own.push('HOME=/root');
  return {
    ...rest,
    Env: (env ?? []).filter((entry) => !own.includes(entry)),
    ...(signal === undefined ? {} : { StopSignal: SIGNALS.get(signal) ?? signal }),
    // It says 0 where nobody said anything.
    ...(timeout === undefined || timeout === null || timeout === 0 || timeout === 10
      ? {}
      : { StopTimeout: timeout }),
  };
}

/** Linux's numbers of the signals that end programs. */
const SIGNALS: ReadonlyMap<string, string> = new Map([
  ['1', 'SIGHUP'],
  ['2', 'SIGINT'],
  ['3', 'SIGQUIT'],
  ['9', 'SIGKILL'],
  ['10', 'SIGUSR1'],
  ['12', 'SIGUSR2'],
  ['15', 'SIGTERM'],
  ['28', 'SIGWINCH'],
]);

/** What Podman sets for each mount without being asked. */
const OF_BINDS = new Set(['rw', 'rprivate', 'nosuid', 'nodev', 'rbind']);
const OF_TMPFS = new Set(['rw', 'rprivate', 'nosuid', 'nodev', 'tmpcopyup']);
const PODMAN_SHM = 65_536_000;

function hostOf(host: HostConfig, networks: readonly string[]): HostConfig {
  const { MemorySwappiness: swappiness, ShmSize: shm, ...rest } = host;
  const [first] = networks;
  // It says `bridge` of every network that is one.
  const elsewhere =
    host.NetworkMode === 'bridge' && first !== undefined && !networks.includes('bridge');
  return {
    ...rest,
    ...(elsewhere ? { NetworkMode: first } : {}),
    Binds: (host.Binds ?? []).map(bindText),
    Tmpfs: Object.fromEntries(
      Object.entries(host.Tmpfs ?? {}).map(([path, options]) => [path, without(options, OF_TMPFS)]),
    ),
    Ulimits: (host.Ulimits ?? []).map((limit) => ({
      ...limit,
      Name: limit.Name.replace(/^RLIMIT_/, '').toLowerCase(),
    })),
    ...(shm === PODMAN_SHM || shm === undefined ? {} : { ShmSize: shm }),
    ...(swappiness === 0 || swappiness === undefined ? {} : { MemorySwappiness: swappiness }),
  };
}

/** `data:/data:ro,rprivate,rbind` is `data:/data:ro`. */
function bindText(bind: string): string {
  const at = bind.lastIndexOf(':');
  const options = bind.slice(at + 1);
  if (at <= 0 || options.startsWith('/')) return bind;
  const kept = without(options, OF_BINDS);
  return kept === '' ? bind.slice(0, at) : `${bind.slice(0, at)}:${kept}`;
}

function without(options: string, own: ReadonlySet<string>): string {
  return options
    .split(',')
    .filter((option) => !own.has(option))
    .join(',');
}
