/** Dev container configuration → create request. Pure: the plan of `up`. */

import type { ContainerCreateRequest, MountRequest } from '../api/containers.ts';
import { EngineError } from '../errors.ts';
import type { DevContainerConfig } from './config.ts';
import { CONFIG_FILE, CONFIG_HASH, LOCAL_FOLDER, METADATA, type EntryMetadata } from './labels.ts';

export interface Workspace {
  /** Absolute folder of the host. */
  readonly folder: string;
  readonly configFile: string;
  readonly configHash: string;
}

/** Where the workspace is inside the container. */
export function workspaceFolderOf(config: DevContainerConfig, folder: string): string {
  const name = folder.split('/').findLast((part) => part !== '') ?? 'workspace';
  return config.workspaceFolder ?? `/workspaces/${name}`;
}

/** Keeps a container alive that has nothing of its own to do, and ends at once on a signal. */
const KEEP_ALIVE = 'trap "exit 0" TERM INT; while :; do sleep 86400 & wait $!; done';

/** What an editor adds, so that it can work inside. */
export interface Additions {
  readonly mounts: readonly MountRequest[];
  readonly labels: Readonly<Record<string, string>>;
  /** A shell that is there whatever the image holds; undefined: the image's own. */
  readonly shell?: string;
}

/** The create request; `config` has its variables replaced. Throws `invalid` on a mount that cannot be read. */
export function createRequestOf(
  config: DevContainerConfig,
  image: string,
  workspace: Workspace,
  additions?: Additions,
): ContainerCreateRequest {
  const keepAlive = config.overrideCommand ?? true;
  const entry: EntryMetadata = {
    workspaceFolder: workspaceFolderOf(config, workspace.folder),
    ...(config.remoteUser === undefined ? {} : { remoteUser: config.remoteUser }),
    ...(config.remoteEnv === undefined ? {} : { remoteEnv: config.remoteEnv }),
  };
  return {
    Image: image,
    ...(config.containerUser === undefined ? {} : { User: config.containerUser }),
    ...(keepAlive ? { Entrypoint: [additions?.shell ?? '/bin/sh'], Cmd: ['-c', KEEP_ALIVE] } : {}),
    Env: Object.entries(config.containerEnv ?? {}).map(([name, value]) => `${name}=${value}`),
    Labels: {
      [LOCAL_FOLDER]: workspace.folder,
      [CONFIG_FILE]: workspace.configFile,
      [CONFIG_HASH]: workspace.configHash,
      [METADATA]: JSON.stringify([entry]),
      ...additions?.labels,
    },
    HostConfig: {
      Mounts: [
        workspaceMount(config, workspace),
        ...(config.mounts ?? []).map(readMount),
        ...(additions?.mounts ?? []),
      ],
      // Programs that outlive what started them, as the VS Code Server's, are reaped by an init.
      Init: config.init ?? additions !== undefined,
      Privileged: config.privileged ?? false,
      CapAdd: config.capAdd ?? [],
      SecurityOpt: config.securityOpt ?? [],
    },
  };
}

function workspaceMount(config: DevContainerConfig, workspace: Workspace): MountRequest {
  if (config.workspaceMount !== undefined && config.workspaceMount !== '')
    return readMount(config.workspaceMount);
  return {
    Type: 'bind',
    Source: workspace.folder,
    Target: workspaceFolderOf(config, workspace.folder),
  };
}

function readMount(
  mount: string | { type?: string; source?: string; target: string },
): MountRequest {
  if (typeof mount !== 'string')
    return {
      Type: mountType(mount.type),
      Target: mount.target,
      ...(mount.source === undefined ? {} : { Source: mount.source }),
    };
  const parts = new Map(
    mount.split(',').map((part): [string, string] => {
      const at = part.indexOf('=');
      return at === -1 ? [part, 'true'] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  const target = parts.get('target') ?? parts.get('dst') ?? parts.get('destination');
  const source = parts.get('source') ?? parts.get('src');
  if (target === undefined)
    throw new EngineError('invalid', `mount '${mount}': a target is needed`);
  const readOnly = parts.has('readonly') || parts.has('ro');
  return {
    Type: mountType(parts.get('type')),
    Target: target,
    ReadOnly: readOnly,
    ...(source === undefined ? {} : { Source: source }),
  };
}

function mountType(type = 'volume'): 'bind' | 'volume' | 'tmpfs' {
  if (type === 'bind' || type === 'volume' || type === 'tmpfs') return type;
  throw new EngineError('invalid', `mount type '${type}' is unknown; there is bind, volume, tmpfs`);
}
