/** A container as the API shows it: inspect's full answer and list's summary. It reads what is in memory and computes nothing else. */

import { createHash } from 'node:crypto';
import type {
  ContainerInspect,
  ContainerState,
  ContainerSummary,
  EndpointSettings,
  MountPoint,
  NetworkSettings,
  PortMap,
} from '../../../lib/api/containers.ts';
import type { Networks } from '../../network/types.ts';
import type { Container } from '../container.ts';
import type { ContainerPlaces } from '../parts.ts';
import { checkPort } from '../request/config.ts';
import { statusText } from './duration.ts';

export interface ViewFacts {
  readonly files: ContainerPlaces;
  readonly lowers: readonly string[];
  readonly networks: Networks;
  readonly sizes: { readonly rw: number; readonly root: number } | undefined;
}

export function inspectContainer(container: Container, facts: ViewFacts): ContainerInspect {
  const { definition, state } = container;
  const { files } = facts;
  const hasLog = definition.hostConfig.LogConfig?.Type !== 'none';
  const isStarted = !state.startedAt.startsWith('0001');
  const live = [...container.execs.values()].filter((exec) => exec.status === 'running');
  return {
    Id: container.id,
    Created: definition.created,
    Path: definition.path,
    Args: [...definition.args],
    State: stateOf(container),
    Image: definition.imageId,
    ResolvConfPath: isStarted ? files.resolvConf : '',
    HostnamePath: isStarted ? files.hostname : '',
    HostsPath: isStarted ? files.hosts : '',
    LogPath: hasLog ? files.log : '',
    Name: `/${container.name}`,
    RestartCount: state.restartCount,
    Driver: 'overlay2',
    Platform: definition.platform,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: live.length === 0 ? null : live.map((exec) => exec.id),
    HostConfig: {
      ...definition.hostConfig,
      MaskedPaths: definition.hostConfig.MaskedPaths ?? null,
      ReadonlyPaths: definition.hostConfig.ReadonlyPaths ?? null,
    },
    GraphDriver: {
      Name: 'overlay2',
      Data: {
        ID: container.id,
        LowerDir: facts.lowers.join(':'),
        UpperDir: files.upper,
        WorkDir: files.work,
        MergedDir: '',
      },
    },
    ...(facts.sizes === undefined ? {} : { SizeRw: facts.sizes.rw, SizeRootFs: facts.sizes.root }),
    Mounts: mountPoints(container),
    Config: definition.config,
    NetworkSettings: networkSettings(container, facts.networks),
  };
}

function stateOf(container: Container): ContainerState {
  const { state, health } = container;
  return {
    Status: state.status,
    Running: container.isRunning,
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(health === undefined ? {} : { Health: health }),
  };
}

export function mountPoints(container: Container): MountPoint[] {
  const asked = container.definition.hostConfig.Tmpfs ?? {};
  return container.definition.mounts
    .filter((mount) => !(mount.type === 'tmpfs' && mount.destination in asked))
    .map((mount) => ({
      Type: mount.type,
      ...(mount.type === 'volume' ? { Name: mount.name ?? '' } : {}),
      Source: mount.source,
      Destination: mount.destination,
      ...(mount.type === 'volume' ? { Driver: 'local' } : {}),
      Mode: mount.mode,
      RW: mount.rw,
      Propagation: mount.propagation,
    }));
}

/** The name of the network as clients know it: `default` is bridge; a joined container has none of its own. */
export function networkName(container: Container): string | undefined {
  const mode = container.definition.hostConfig.NetworkMode ?? 'bridge';
  if (mode.startsWith('container:')) return undefined;
  return mode === 'default' ? 'bridge' : mode;
}

function endpoints(container: Container, networks: Networks): Record<string, EndpointSettings> {
  const name = networkName(container);
  if (name === undefined) return {};
  const isLive = container.isLive;
  const endpoint = createHash('sha256').update(`${container.id}\0${name}`).digest('hex');
  return {
    [name]: {
      IPAMConfig: null,
      Links: null,
      Aliases: null,
      MacAddress: '',
      DriverOpts: null,
      GwPriority: 0,
      NetworkID: networks.get(name).Id,
      EndpointID: isLive ? endpoint : '',
      Gateway: '',
      IPAddress: '',
      IPPrefixLen: 0,
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
      DNSNames: null,
    },
  };
}

function networkSettings(container: Container, networks: Networks): NetworkSettings {
  const ports: PortMap = {};
  if (container.isLive)
    for (const port of Object.keys(container.definition.config.ExposedPorts ?? {}))
      ports[port] = null;
  return {
    Bridge: '',
    SandboxID: container.isLive ? container.id : '',
    SandboxKey: container.isLive ? `/proc/${container.state.pid}/ns/net` : '',
    Ports: ports,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: '',
    Gateway: '',
    GlobalIPv6Address: '',
    GlobalIPv6PrefixLen: 0,
    IPAddress: '',
    IPPrefixLen: 0,
    IPv6Gateway: '',
    MacAddress: '',
    Networks: endpoints(container, networks),
  };
}

export function summarize(
  container: Container,
  facts: Pick<ViewFacts, 'networks' | 'sizes'> & { imageName: string; now: number },
): ContainerSummary {
  const { definition, state } = container;
  const annotations = definition.hostConfig.Annotations ?? undefined;
  const ports = container.isLive ? Object.keys(definition.config.ExposedPorts ?? {}) : [];
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: facts.imageName,
    ImageID: definition.imageId,
    Command: commandText([definition.path, ...definition.args]),
    Created: Math.floor(Date.parse(definition.created) / 1000),
    Ports: ports.map((text) => {
      const { port, protocol } = checkPort(text, 'ExposedPorts');
      return { PrivatePort: port, Type: protocol };
    }),
    ...(facts.sizes === undefined ? {} : { SizeRw: facts.sizes.rw, SizeRootFs: facts.sizes.root }),
    Labels: definition.config.Labels ?? {},
    State: state.status,
    Status: statusText(state, container.health, facts.now),
    HostConfig: {
      NetworkMode: definition.hostConfig.NetworkMode ?? 'bridge',
      ...(annotations === undefined ? {} : { Annotations: annotations }),
    },
    NetworkSettings: { Networks: endpoints(container, facts.networks) },
    Mounts: mountPoints(container),
  };
}

/** Arguments with blanks are quoted, as Docker shows them. */
function commandText(words: readonly string[]): string {
  return words
    .map((word) => (/[\s']/.test(word) ? `'${word.replaceAll("'", "\\'")}'` : word))
    .join(' ');
}
