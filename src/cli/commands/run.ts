/** `run`: creates a container, joins its streams and ends with its exit status. */

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Client } from '../../client/api/client.ts';
import type { ContainerCreateRequest } from '../../lib/api/containers.ts';
import { EngineError } from '../../lib/errors.ts';
import { addContainerFlags, type ContainerFlags } from '../container-flags.ts';
import { createRequest } from '../container-options.ts';
import type { Context, Register } from '../context.ts';
import { show } from '../output/progress.ts';
import { forwardSignals, join } from '../terminal.ts';

/** docker's exit status when the container could not be run at all. */
const ENGINE_FAILED = 125;

interface RunFlags extends ContainerFlags {
  cidfile?: string;
  sigProxy: boolean;
}

export const run: Register = (program, context) => {
  const command = program
    .command('run')
    .description('create and run a container from an image')
    .argument('<image>')
    .argument('[command...]')
    .option('--cidfile <file>', 'write the container id to a file')
    .option('--no-sig-proxy', 'do not pass signals on')
    .helpOption('--help')
    .passThroughOptions();
  addContainerFlags(command).action(async (image: string, words: string[], flags: RunFlags) => {
    try {
      await runContainer(image, words, flags, context);
    } catch (error) {
      context.exit(startStatus(error));
      throw error;
    }
  });
};

async function runContainer(
  image: string,
  words: string[],
  flags: RunFlags,
  context: Context,
): Promise<void> {
  const request = createRequest(image, words, flags, {
    env: context.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    resolvePath: (path) => resolve(path),
  });
  if (request.Tty === true && request.AttachStdin === true && !context.stdin.isTTY) {
    throw new EngineError(
      'invalid',
      'the input device is not a TTY: leave out -t, or run from a terminal',
    );
  }
  const client = await context.engine();
  const { Id, Warnings } = await createWithImage(client, image, request, flags, context);
  for (const warning of Warnings) context.stderr.write(`WARNING: ${warning}\n`);
  if (flags.cidfile !== undefined) writeFileSync(flags.cidfile, Id, { flag: 'wx' });
  if (flags.detach === true) {
    await client.containers.start(Id);
    context.stdout.write(`${Id}\n`);
    return;
  }
  await attachAndStart(client, Id, request, flags, context);
}

async function createWithImage(
  client: Client,
  image: string,
  request: ContainerCreateRequest,
  flags: RunFlags,
  context: Context,
): Promise<{ Id: string; Warnings: string[] }> {
  const pull = async (): Promise<void> => {
    await show(
      client.images.pull(image, { signal: context.signal, ...platformOf(flags) }),
      context.stderr,
      { quiet: false },
    );
  };
  if (flags.pull === 'always') await pull();
  const create = (): Promise<{ Id: string; Warnings: string[] }> =>
    client.containers.create(flags.name, request, platformOf(flags));
  try {
    return await create();
  } catch (error) {
    const missing =
      error instanceof EngineError &&
      error.kind === 'not-found' &&
      /no such image/i.test(error.message);
    if (!missing || flags.pull === 'never') throw error;
    context.stderr.write(`Unable to find image '${image}' locally\n`);
    await pull();
    return create();
  }
}

function platformOf(flags: RunFlags): { platform?: string } {
  return flags.platform === undefined ? {} : { platform: flags.platform };
}

async function attachAndStart(
  client: Client,
  id: string,
  request: ContainerCreateRequest,
  flags: RunFlags,
  context: Context,
): Promise<void> {
  const tty = request.Tty === true;
  const attached = await client.containers.attach(id, {
    stdin: request.AttachStdin === true,
    stdout: request.AttachStdout === true,
    stderr: request.AttachStderr === true,
  });
  const { result } = await client.containers.wait(id, flags.rm === true ? 'removed' : 'next-exit');
  const stop =
    !tty && flags.sigProxy
      ? forwardSignals((signal) => client.containers.kill(id, signal), context)
      : () => undefined;
  try {
    const joined = join(
      attached,
      {
        tty,
        stdin: request.AttachStdin === true,
        resize: (size) => client.containers.resize(id, size),
      },
      context,
    );
    joined.catch(() => undefined);
    try {
      await client.containers.start(id);
    } catch (error) {
      attached.socket.destroy();
      throw error;
    }
    if ((await joined) === 'detached') return;
    context.exit((await result).StatusCode);
  } finally {
    stop();
  }
}

/** 127: the program is not there; 126: it cannot be run. */
function startStatus(error: unknown): number {
  const message = error instanceof Error ? error.message : '';
  if (/no such file or directory|not found in/i.test(message)) return 127;
  return /permission denied|is a directory/i.test(message) ? 126 : ENGINE_FAILED;
}
