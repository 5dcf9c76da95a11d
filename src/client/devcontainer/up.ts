/** `up`: from a folder with devcontainer.json to its running container. What it made and could not finish, it removes. */

import { createHash } from 'node:crypto';
import { dirname, relative, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import type { JsonMessage } from '../../lib/api/system.ts';
import type { DevContainerConfig } from '../../lib/devcontainer/config.ts';
import { CONFIG_HASH } from '../../lib/devcontainer/labels.ts';
import {
  createRequestOf,
  workspaceFolderOf,
  type Additions,
} from '../../lib/devcontainer/request.ts';
import { substitute } from '../../lib/devcontainer/variables.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { createOwned } from './owner.ts';
import { KIT_LABEL, KIT_SHELL, kitMounts, type Kit } from './kit.ts';
import { buildContext, imageNameOf } from '../build/context.ts';
import { inside } from './exec.ts';
import { findConfig, findContainer, type FoundConfig } from './find.ts';
import { CREATION, type Hook, type HookOptions, partHooks, runHooks, runOnHost } from './hooks.ts';

export interface UpOptions {
  readonly folder: string;
  /** Another devcontainer.json than the folder's own. */
  readonly config?: string;
  readonly removeExisting: boolean;
  readonly noCache: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Shows the messages of a build or pull; resolves to the last `aux`. */
  readonly show: (messages: AsyncIterable<JsonMessage>) => Promise<Record<string, unknown>>;
  readonly say: (line: string) => void;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Makes a new container ready for the VS Code Server. */
  readonly kit?: Kit;
  /** Is given the commands after `waitFor`, to be run later; without it they have run when `up` resolves. */
  readonly later?: (run: (options: HookOptions) => Promise<void>) => void;
}

export interface UpResult {
  /** created: made now; started: was stopped; running: was there. */
  readonly outcome: 'created' | 'started' | 'running';
  readonly containerId: string;
  readonly remoteUser: string;
  readonly remoteWorkspaceFolder: string;
}

/** Brings the dev container up. One that is replaced goes only when the new image is there. Throws EngineError naming file and property, or the step that failed. */
export async function up(client: Client, options: UpOptions): Promise<UpResult> {
  const found = findConfig(options.folder, options.config);
  const existing = await findContainer(client, found.folder);
  if (existing !== undefined) {
    const current = existing.Labels[CONFIG_HASH] === found.hash;
    if (!current && !options.removeExisting)
      options.say('devcontainer.json has changed since the container was made: making it anew');
    if (current && !options.removeExisting) return reuse(client, existing.Id, found, options);
  }
  return make(client, found, { ...options, replaced: existing?.Id });
}

async function reuse(
  client: Client,
  id: string,
  found: FoundConfig,
  options: UpOptions,
): Promise<UpResult> {
  const running = (await client.containers.inspect(id)).State.Running;
  if (!running) {
    await client.containers.start(id);
    const config = resolveConfig(found, options.env);
    await live(client, id, { config, folder: found.folder }, ['postStartCommand'], options);
  }
  return result(client, id, found, running ? 'running' : 'started', options);
}

async function make(
  client: Client,
  found: FoundConfig,
  options: UpOptions & { readonly replaced: string | undefined },
): Promise<UpResult> {
  const config = resolveConfig(found, options.env);
  if (config.initializeCommand !== undefined)
    await runOnHost(config.initializeCommand, found.folder, options);
  const image = await imageOf(client, config, found, options);
  const workspace = {
    folder: found.folder,
    configFile: found.file,
    configHash: found.hash,
  };
  const request = createRequestOf(config, image, workspace, additionsOf(options.kit));
  if (options.replaced !== undefined)
    await client.containers.remove(options.replaced, { force: true });
  const { Id, Warnings } = await createOwned(client, request, config.remoteUser);
  for (const warning of Warnings) options.say(`warning: ${warning}`);
  try {
    await client.containers.start(Id);
    await live(client, Id, { config, folder: found.folder }, CREATION, options);
  } catch (error) {
    await client.containers.remove(Id, { force: true, volumes: true });
    throw error;
  }
  return result(client, Id, found, 'created', options);
}

/** Runs the commands; those after `waitFor` later, where somebody takes care of them. */
async function live(
  client: Client,
  id: string,
  made: { readonly config: DevContainerConfig; readonly folder: string },
  hooks: readonly Hook[],
  options: UpOptions,
): Promise<void> {
  const { later } = options;
  const wanted = hooks.filter((hook) => made.config[hook] !== undefined);
  const { first, rest } = partHooks(wanted, made.config.waitFor);
  await runHooks(client, id, made, later === undefined ? wanted : first, options);
  if (rest.length > 0) later?.((how) => runHooks(client, id, made, rest, how));
}

/** What a kit adds to a new container. */
export function additionsOf(kit: Kit | undefined): Additions | undefined {
  if (kit === undefined) return undefined;
  return {
    mounts: kitMounts(kit),
    labels: { [KIT_LABEL]: kit.digest },
    ...(kit.shell ? { shell: KIT_SHELL } : {}),
  };
}

/** The configuration with its variables replaced. */
export function resolveConfig(found: FoundConfig, env: UpOptions['env']): DevContainerConfig {
  const scope = {
    localEnv: env,
    localWorkspaceFolder: found.folder,
    containerWorkspaceFolder: '',
    devcontainerId: createHash('sha256')
      .update(`${found.folder}\0${found.file}`)
      .digest('hex')
      .slice(0, 52),
  };
  const folder = substitute(workspaceFolderOf(found.config, found.folder), scope);
  return substitute(
    { ...found.config, workspaceFolder: folder },
    { ...scope, containerWorkspaceFolder: folder },
  );
}

/** What the image that is built for a folder is called. */
export function builtName(folder: string): string {
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  return `pinnace-dev-${imageNameOf(folder)}-${digest}:latest`;
}

async function imageOf(
  client: Client,
  config: DevContainerConfig,
  found: FoundConfig,
  options: UpOptions,
): Promise<string> {
  const { build, image } = config;
  if (build !== undefined) {
    const dockerfile = resolve(dirname(found.file), build.dockerfile);
    const context = buildContext(resolve(dirname(found.file), build.context ?? '.'), dockerfile);
    const name = builtName(found.folder);
    options.say(`building the image of ${relative(found.folder, dockerfile)}`);
    const cacheFrom = build.cacheFrom === undefined ? [] : [build.cacheFrom].flat();
    await options.show(
      client.images.build(
        context.tar,
        {
          dockerfile: context.dockerfile,
          tags: [name],
          noCache: options.noCache,
          buildArgs: build.args ?? {},
          ...(build.target === undefined ? {} : { target: build.target }),
          ...(cacheFrom.length === 0 ? {} : { cacheFrom }),
        },
        { signal: options.signal },
      ),
    );
    return name;
  }
  const name = image ?? '';
  try {
    await client.images.inspect(name);
  } catch (error) {
    if (!(error instanceof EngineError && error.kind === 'not-found')) throw error;
    options.say(`pulling ${name}`);
    await options.show(client.images.pull(name, { signal: options.signal }));
  }
  return name;
}

async function result(
  client: Client,
  id: string,
  found: FoundConfig,
  outcome: UpResult['outcome'],
  options: UpOptions,
): Promise<UpResult> {
  const { user, workdir } = inside(
    await client.containers.inspect(id),
    found.folder,
    [],
    options.env,
  );
  return {
    outcome,
    containerId: id,
    remoteUser: user === '' ? 'root' : user,
    remoteWorkspaceFolder: workdir,
  };
}
