/** `exec`: runs a command in a running container, or in the dev container of a workspace folder. */

import { EngineError } from '../../lib/errors.ts';
import type { ExecCreateRequest } from '../../lib/api/containers.ts';
import type { Client } from '../../client/api/client.ts';
import { execInWorkspace } from '../../client/devcontainer/exec.ts';
import type { Context, Register } from '../context.ts';
import { join } from '../terminal.ts';

interface ExecFlags {
  interactive?: boolean;
  tty?: boolean;
  detach?: boolean;
  privileged?: boolean;
  user?: string;
  workdir?: string;
  env: string[];
  workspaceFolder?: string;
}

export const exec: Register = (program, context) => {
  program
    .command('exec')
    .description('run a command in a running container')
    .argument('<container>', 'the container; with --workspace-folder the first word of the command')
    .argument('[command...]')
    .option('-i, --interactive', 'keep standard input open')
    .option('-t, --tty', 'allocate a pseudo-terminal')
    .option('-d, --detach', 'run in the background')
    .option('--privileged', 'give extended privileges')
    .option('-u, --user <user>', 'user[:group]')
    .option('-w, --workdir <dir>', 'working directory')
    .option(
      '-e, --env <name=value>',
      'environment variable',
      (value: string, all: string[]) => [...all, value],
      [] as string[],
    )
    .option('--workspace-folder <folder>', 'the dev container of this folder')
    .passThroughOptions()
    .action(async (container: string, command: string[], flags: ExecFlags) => {
      const client = await context.engine();
      if (flags.workspaceFolder === undefined) {
        if (command.length === 0)
          throw new EngineError('invalid', 'exec: a command is needed after the container');
        await execute(client, container, requestOf(command, flags, context), context);
        return;
      }
      const inside = await execInWorkspace(
        client,
        flags.workspaceFolder,
        [container, ...command],
        context.env,
      );
      const request = requestOf(inside.command, flags, context);
      await execute(
        client,
        inside.container,
        {
          ...request,
          User: flags.user ?? inside.user,
          WorkingDir: flags.workdir ?? inside.workdir,
          Env: [...inside.env, ...(request.Env ?? [])],
        },
        context,
      );
    });
};

function requestOf(
  command: readonly string[],
  flags: ExecFlags,
  context: Context,
): ExecCreateRequest {
  if (flags.tty === true && flags.interactive === true && !context.stdin.isTTY) {
    throw new EngineError(
      'invalid',
      'the input device is not a TTY: leave out -t, or run from a terminal',
    );
  }
  const attached = flags.detach !== true;
  return {
    Cmd: [...command],
    AttachStdin: attached && flags.interactive === true,
    AttachStdout: attached,
    AttachStderr: attached,
    Tty: flags.tty === true,
    Privileged: flags.privileged === true,
    User: flags.user ?? '',
    WorkingDir: flags.workdir ?? '',
    Env: flags.env.flatMap((entry) =>
      entry.includes('=')
        ? [entry]
        : context.env[entry] === undefined
          ? []
          : [`${entry}=${context.env[entry]}`],
    ),
  };
}

async function execute(
  client: Client,
  container: string,
  request: ExecCreateRequest,
  context: Context,
): Promise<void> {
  const { Id } = await client.containers.execCreate(container, request);
  if (request.AttachStdout !== true) {
    await client.containers.execStartDetached(Id);
    return;
  }
  const tty = request.Tty === true;
  const attached = await client.containers.execStart(Id, { tty });
  const how = await join(
    attached,
    {
      tty,
      stdin: request.AttachStdin === true,
      resize: (size) => client.containers.execResize(Id, size),
    },
    context,
  );
  if (how === 'ended') context.exit((await client.containers.execInspect(Id)).ExitCode ?? 0);
}
