/** The commands of a dev container's life: which run when, in which order, and which of them a window waits for. */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import {
  LIFECYCLE,
  type DevContainerConfig,
  type Lifecycle,
  type LifecycleCommand,
} from '../../lib/devcontainer/config.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';
import { inside, runLifecycle } from './exec.ts';

export interface HookOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export type Hook = Exclude<Lifecycle, 'initializeCommand'> | 'postAttachCommand';

/** Those of a container that was made now. */
export const CREATION = [
  'onCreateCommand',
  'updateContentCommand',
  'postCreateCommand',
  'postStartCommand',
] as const satisfies readonly Hook[];

/** Parts the commands into those that are waited for, up to `waitFor`, and the rest. Pure. */
export function partHooks(
  hooks: readonly Hook[],
  waitFor: Lifecycle = 'updateContentCommand',
): { readonly first: Hook[]; readonly rest: Hook[] } {
  const last = LIFECYCLE.indexOf(waitFor);
  const isFirst = (hook: Hook): boolean =>
    hook !== 'postAttachCommand' && LIFECYCLE.indexOf(hook) <= last;
  return { first: hooks.filter(isFirst), rest: hooks.filter((hook) => !isFirst(hook)) };
}

/** Runs those that the configuration has, one after the other; the first that fails ends it. */
export async function runHooks(
  client: Client,
  container: string,
  made: { readonly config: DevContainerConfig; readonly folder: string },
  hooks: readonly Hook[],
  options: HookOptions,
): Promise<void> {
  const wanted = hooks.filter((hook) => made.config[hook] !== undefined);
  if (wanted.length === 0) return;
  const how = inside(await client.containers.inspect(container), made.folder, [], options.env);
  for (const hook of wanted) {
    const command = made.config[hook];
    if (command === undefined) continue;
    options.say(`running ${hook}`);
    await runLifecycle(client, how, hook, command, options);
  }
}

/** initializeCommand runs on the host: the person who opens the folder has trusted it. */
export async function runOnHost(
  command: LifecycleCommand,
  folder: string,
  options: HookOptions,
): Promise<void> {
  options.say('running initializeCommand on this machine');
  const parts =
    typeof command === 'string' || Array.isArray(command)
      ? { initializeCommand: command }
      : command;
  const runs = Object.entries(parts).map(async ([name, words]) => {
    const label = `initializeCommand${name === 'initializeCommand' ? '' : `.${name}`}`;
    const status = await runProgram(
      typeof words === 'string' ? ['/bin/sh', '-c', words] : words,
      folder,
      options,
    ).catch((cause: unknown) => {
      throw new EngineError('internal', `${label} could not be run: ${String(cause)}`, { cause });
    });
    options.signal.throwIfAborted();
    if (status !== 0)
      throw new EngineError(
        'internal',
        `${label} failed with status ${status}: ${typeof words === 'string' ? words : words.join(' ')}`,
      );
  });
  const failed = (await Promise.allSettled(runs)).find((run) => run.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function runProgram(
  [program = '', ...args]: readonly string[],
  cwd: string,
  { signal, stdout, stderr }: HookOptions,
): Promise<number> {
  return new Promise<number>((done, fail) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], signal });
    child.stdout.pipe(stdout, { end: false });
    child.stderr.pipe(stderr, { end: false });
    child.once('error', fail);
    child.once('close', (code) => done(code ?? 1));
  });
}
