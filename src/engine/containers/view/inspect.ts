/** A container as the API shows it: inspect's full answer and list's summary. It reads what is in memory and computes nothing else. */

import type {
  ContainerInspect,
  ContainerState,
  ContainerSummary,
  MountPoint,
} from '../../../lib/api/containers.ts';
import type { Container } from '../container.ts';
import { portList } from '../networking/ports.ts';
import { endpointSettings, networkSettings } from '../networking/settings.ts';
import type { IdOf } from '../networking/settings.ts';
import type { ContainerPlaces } from '../parts.ts';
import { statusText } from './duration.ts';

export interface ViewFacts {
  readonly files: ContainerPlaces;
  readonly lowers: readonly string[];
  readonly networkId: IdOf;
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
    NetworkSettings: networkSettings(container, facts.networkId),
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

function mountPoints(container: Container): MountPoint[] {
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

export function summarize(
  container: Container,
  facts: Pick<ViewFacts, 'networkId' | 'sizes'> & { imageName: string; now: number },
): ContainerSummary {
  const { definition, state } = container;
  const annotations = definition.hostConfig.Annotations ?? undefined;
  return {
    Id: container.id,
    Names: [`/${container.name}`],
    Image: facts.imageName,
    ImageID: definition.imageId,
    Command: commandText([definition.path, ...definition.args]),
    Created: Math.floor(Date.parse(definition.created) / 1000),
    Ports: container.isLive ? portList(definition.config, state.network?.ports ?? []) : [],
    ...(facts.sizes === undefined ? {} : { SizeRw: facts.sizes.rw, SizeRootFs: facts.sizes.root }),
    Labels: definition.config.Labels ?? {},
    State: state.status,
    Status: statusText(state, container.health, facts.now),
    HostConfig: {
      NetworkMode: definition.hostConfig.NetworkMode ?? 'bridge',
      ...(annotations === undefined ? {} : { Annotations: annotations }),
    },
    NetworkSettings: { Networks: endpointSettings(container, facts.networkId) },
    Mounts: mountPoints(container),
  };
}

/** Arguments with blanks are quoted, as Docker shows them. */
function commandText(words: readonly string[]): string {
  return words
    .map((word) => (/[\s']/.test(word) ? `'${word.replaceAll("'", "\\'")}'` : word))
    .join(' ');
}
