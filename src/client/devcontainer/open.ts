/** Opens a running container for an editor: kit, server, and what of the user goes along. The answer is where the server listens inside. */
import { execFile } from 'node:child_process';
import type { ContainerInspect } from '../../lib/api/containers.ts';
import {
  editorOf,
  type DevContainerConfig,
  type EditorWishes,
} from '../../lib/devcontainer/config.ts';
import { CONFIG_FILE, CONFIG_HASH, LOCAL_FOLDER, RECOVERY } from '../../lib/devcontainer/labels.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { bringCommit, type ServerInside } from './commit.ts';
import { inside } from './exec.ts';
import { findConfig } from './find.ts';
import type { LaunchAnswer, LaunchRequest } from './inside/launch.ts';
import { KIT, type Kit } from './kit.ts';
import { copyKit, hasKit, launchServer } from './server.ts';
import { resolveConfig } from './up.ts';

export interface OpenOptions {
  readonly container: string;
  readonly kit: Kit;
  /**
   * Of an editor that speaks with servers of its own commit alone; pages of the server are then not asked for. Undefined: any
   * server does, since its pages come from itself.
   */
  readonly commit?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's settings and keys of the editor that opens it. */
  readonly user?: NonNullable<LaunchRequest['user']>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface Opened extends LaunchAnswer {
  readonly containerId: string;
  readonly name: string;
  /** The folder to open, inside. */
  readonly folder: string;
  readonly user: string;
  /** With its variables replaced. */
  readonly config: DevContainerConfig | undefined;
}

/** Throws `conflict` when the container does not run, `unavailable` when the server cannot be brought in or started. */
export async function openInside(client: Client, options: OpenOptions): Promise<Opened> {
  const container = await client.containers.inspect(options.container);
  const name = container.Name.replace(/^\//, '');
  if (!container.State.Running)
    throw new EngineError(
      'conflict',
      `container ${name} is ${container.State.Status}; start it first`,
    );
  const place = await bringServer(client, container.Id, options);
  const config = configOf(container, options.env);
  const wishes: EditorWishes =
    config === undefined ? { extensions: [], settings: {} } : editorOf(config);
  const local = container.Config.Labels?.[LOCAL_FOLDER] ?? '/';
  const how = inside(container, local, [], options.env);
  options.say('starting the VS Code Server');
  const request: LaunchRequest = {
    ...(options.commit === undefined
      ? { base: `/${container.Id.slice(0, 12)}` }
      : { commit: options.commit, server: place.server }),
    settings: {
      ...titleSettings(name, options.user?.settings),
      ...portSettings(config),
      ...wishes.settings,
    },
    extensions: wishes.extensions.map((extension) =>
      extension.endsWith('.vsix') && !extension.startsWith('/')
        ? `${how.workdir}/${extension}`
        : extension,
    ),
    git: await gitIdentity(),
    ...(options.user === undefined ? {} : { user: options.user }),
    agent: (options.env['SSH_AUTH_SOCK'] ?? '') !== '',
  };
  const answer = await launchServer(client, how, request, place.program);
  for (const warning of answer.warnings) options.say(`warning: ${warning}`);
  return {
    ...answer,
    containerId: container.Id,
    name,
    folder: how.workdir === '' ? '/' : how.workdir,
    user: how.user === '' ? 'root' : how.user,
    config,
  };
}

async function bringServer(
  client: Client,
  container: string,
  { kit, commit, signal, say }: OpenOptions,
): Promise<ServerInside> {
  if (commit !== undefined) return bringCommit(client, container, { kit, commit, signal, say });
  if (!(await hasKit(client, container, { server: true }))) {
    say('copying the VS Code Server into the container');
    await copyKit(client, container, kit, signal);
  }
  return { server: `${KIT}/server`, program: KIT };
}

/** Windows inside and outside have the same folder: the title tells them apart, unless the user has one of their own. */
function titleSettings(container: string, own = ''): Record<string, unknown> {
  if (own.includes('"window.title"')) return {};
  return {
    'window.title': `\${dirty}\${activeEditorShort}\${separator}\${rootName}\${separator}[${container}]`,
  };
}

/** What the editor itself does with ports that it finds inside, as the configuration says. */
function portSettings(config: DevContainerConfig | undefined): Record<string, unknown> {
  const { portsAttributes, otherPortsAttributes } = config ?? {};
  return {
    ...(portsAttributes === undefined ? {} : { 'remote.portsAttributes': portsAttributes }),
    ...(otherPortsAttributes === undefined
      ? {}
      : { 'remote.otherPortsAttributes': otherPortsAttributes }),
  };
}

/** Of a container that was made from one, with its variables replaced; a file that has gone or broken since is nobody's wish. */
export function configOf(
  container: ContainerInspect,
  env: OpenOptions['env'],
): DevContainerConfig | undefined {
  const folder = container.Config.Labels?.[LOCAL_FOLDER];
  const file = container.Config.Labels?.[CONFIG_FILE];
  if (folder === undefined || file === undefined) return undefined;
  if (container.Config.Labels?.[CONFIG_HASH] === RECOVERY) return undefined;
  try {
    return resolveConfig(findConfig(folder, file), env);
  } catch (error) {
    if (error instanceof Error && (kindOf(error) !== 'internal' || 'code' in error))
      return undefined;
    throw error;
  }
}

/** The user's own name and address for git, where git is there and knows them. */
async function gitIdentity(): Promise<{ readonly name?: string; readonly email?: string }> {
  const ask = (key: string): Promise<string> =>
    new Promise((resolve) => {
      execFile(
        'git',
        ['config', '--global', '--get', key],
        { timeout: 3000, cwd: '/' },
        (error, stdout) => resolve(error === null ? stdout.trim() : ''),
      );
    });
  const [name, email] = await Promise.all([ask('user.name'), ask('user.email')]);
  return { ...(name === '' ? {} : { name }), ...(email === '' ? {} : { email }) };
}
