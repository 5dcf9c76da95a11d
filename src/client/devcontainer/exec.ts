/** Runs commands inside a dev container as its configuration says: user, environment and folder. */

import type { Writable } from 'node:stream';
import type { ContainerInspect } from '../../lib/api/containers.ts';
import type { LifecycleCommand } from '../../lib/devcontainer/config.ts';
import { METADATA, type EntryMetadata } from '../../lib/devcontainer/labels.ts';
import { substitute } from '../../lib/devcontainer/variables.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { demultiplex } from '../api/streams.ts';
import { findContainer, workspaceOf } from './find.ts';
import { KIT_SHELL } from './kit.ts';

/** Everything that an exec request needs. */
export interface Inside {
  readonly container: string;
  readonly command: string[];
  readonly user: string;
  readonly workdir: string;
  readonly env: string[];
}

export interface Output {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Ends the waiting, not what runs inside. */
  readonly signal?: AbortSignal;
}

/** How `command` is run in the running dev container of `folder`. Throws not-found when there is none, conflict when it is stopped. */
export async function execInWorkspace(
  client: Client,
  folder: string,
  command: readonly string[],
  localEnv: Readonly<Record<string, string | undefined>>,
): Promise<Inside> {
  const real = workspaceOf(folder);
  const found = await findContainer(client, real);
  if (found === undefined)
    throw new EngineError('not-found', `${real} has no dev container; run: pinnace up ${real}`);
  if (found.State !== 'running')
    throw new EngineError(
      'conflict',
      `the dev container of ${real} is ${found.State}; run: pinnace up ${real}`,
    );
  return inside(await client.containers.inspect(found.Id), real, command, localEnv);
}

/** The same for a container at hand. */
export function inside(
  container: ContainerInspect,
  folder: string,
  command: readonly string[],
  localEnv: Readonly<Record<string, string | undefined>>,
): Inside {
  const entry = entryOf(container);
  const workdir = entry.workspaceFolder ?? container.Config.WorkingDir ?? '/';
  const remoteEnv = substitute(entry.remoteEnv ?? {}, {
    localEnv,
    localWorkspaceFolder: folder,
    containerWorkspaceFolder: workdir,
    devcontainerId: container.Id.slice(0, 12),
    containerEnv: environmentOf(container),
  });
  return {
    container: container.Id,
    command: [...command],
    user: entry.remoteUser ?? container.Config.User ?? '',
    workdir,
    env: Object.entries(remoteEnv).map(([name, value]) =>
      value === null ? name : `${name}=${value}`,
    ),
  };
}

/** Runs a lifecycle command to its end; the parts of an object run side by side. Throws `internal` naming what failed. */
export async function runLifecycle(
  client: Client,
  how: Omit<Inside, 'command'>,
  name: string,
  command: LifecycleCommand,
  out: Output,
): Promise<void> {
  const parts =
    typeof command === 'string' || Array.isArray(command) ? { [name]: command } : command;
  const runs = Object.entries(parts).map(async ([part, words]) => {
    const line =
      typeof words === 'string' ? [await shellOf(client, how.container), '-c', words] : words;
    const status = await runInside(client, { ...how, command: line }, out);
    if (status !== 0)
      throw new EngineError(
        'internal',
        `${name}${part === name ? '' : `.${part}`} failed with status ${status}: ${typeof words === 'string' ? words : words.join(' ')}`,
      );
  });
  const failed = (await Promise.allSettled(runs)).find((run) => run.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** The container's own shell, or the one that was brought along; undefined with `orNone` when it has neither. */
export async function shellOf(client: Client, container: string): Promise<string>;
export async function shellOf(
  client: Client,
  container: string,
  options: { readonly orNone: boolean },
): Promise<string | undefined>;
export async function shellOf(
  client: Client,
  container: string,
  options: { readonly orNone: boolean } = { orNone: false },
): Promise<string | undefined> {
  if (await hasFile(client, container, '/bin/sh')) return '/bin/sh';
  if (await hasFile(client, container, KIT_SHELL)) return KIT_SHELL;
  return options.orNone ? undefined : '/bin/sh';
}

async function hasFile(client: Client, container: string, path: string): Promise<boolean> {
  return client.containers.archiveStat(container, path).then(
    () => true,
    () => false,
  );
}

/** Runs one command without a terminal; resolves to its exit status. */
async function runInside(client: Client, how: Inside, out: Output): Promise<number> {
  const { Id } = await client.containers.execCreate(how.container, {
    Cmd: how.command,
    User: how.user,
    WorkingDir: how.workdir,
    Env: how.env,
    AttachStdout: true,
    AttachStderr: true,
  });
  const { socket } = await client.containers.execStart(Id, { tty: false });
  const stop = (): void => void socket.destroy();
  out.signal?.addEventListener('abort', stop, { once: true });
  try {
    out.signal?.throwIfAborted();
    await demultiplex(socket, out);
  } catch (cause) {
    if (out.signal?.aborted !== true) throw cause;
    throw new EngineError('cancelled', `${how.command.join(' ')} was not waited for`, { cause });
  } finally {
    out.signal?.removeEventListener('abort', stop);
  }
  return (await client.containers.execInspect(Id)).ExitCode ?? 0;
}

function entryOf(container: ContainerInspect): EntryMetadata {
  const text = container.Config.Labels?.[METADATA];
  if (text === undefined) return {};
  try {
    const parts = JSON.parse(text) as unknown;
    return Object.assign(
      {},
      ...(Array.isArray(parts) ? (parts as object[]) : [parts as object]),
    ) as EntryMetadata;
  } catch (cause) {
    throw new EngineError(
      'invalid',
      `container ${container.Name}: its label ${METADATA} is not JSON`,
      { cause },
    );
  }
}

function environmentOf(container: ContainerInspect): Record<string, string> {
  return Object.fromEntries(
    (container.Config.Env ?? []).map((entry): [string, string] => {
      const at = entry.indexOf('=');
      return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
