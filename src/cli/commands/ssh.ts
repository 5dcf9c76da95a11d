/** `ssh`: an SSH server for one container on the standard streams, for ProxyCommand; and the Include file for ssh_config. */
import { userInfo } from 'node:os';
import { Duplex } from 'node:stream';
import { isPinnace } from '../../client/devcontainer/dial.ts';
import { inside } from '../../client/devcontainer/exec.ts';
import { makeKit } from '../../client/devcontainer/kit.ts';
import { copyKit, hasKit } from '../../client/devcontainer/server.ts';
import { insideProgram, shellPath } from '../../client/engine/program.ts';
import { containerOfHost, sshFiles, writeSshConfig } from '../../client/ssh/keys.ts';
import { serveSsh } from '../../client/ssh/server.ts';
import { LOCAL_FOLDER } from '../../lib/devcontainer/labels.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Context, Register } from '../context.ts';

interface SshFlags {
  config?: boolean;
  user?: string;
}

export const ssh: Register = (program, context) => {
  program
    .command('ssh')
    .description('an SSH server for a container on the standard streams (for ProxyCommand)')
    .argument('[container]', 'name or id, also as pinnace.NAME')
    .option('--config', 'write the file to Include in ~/.ssh/config, and print its path')
    .option('-u, --user <name>', "who works inside; default: as the container's configuration says")
    .action(async (container: string | undefined, flags: SshFlags) => {
      const files = sshFiles(context.env);
      if (flags.config === true) {
        writeSshConfig(files, [process.execPath, process.argv[1] ?? 'pinnace']);
        context.stdout.write(`${files.config}\n`);
        return;
      }
      if (container === undefined)
        throw new EngineError('invalid', 'a container is needed: pinnace ssh CONTAINER');
      await serve(context, containerOfHost(container), { hostKey: files.hostKey, ...flags });
    });
};

async function serve(
  context: Context,
  reference: string,
  { hostKey, user }: { readonly hostKey: string; readonly user?: string },
): Promise<void> {
  const client = await context.engine();
  const found = await client.containers.inspect(reference);
  if (!found.State.Running) {
    // Who connects wants it to run: as `up` starts a dev container that was stopped.
    await client.containers.start(found.Id);
  }
  const folder = found.Config.Labels?.[LOCAL_FOLDER] ?? '/';
  const own = inside(found, folder, [], context.env);
  let kit: Promise<void> | undefined;
  await serveSsh(Duplex.from({ readable: context.stdin, writable: context.stdout }), {
    client,
    how: user === undefined ? own : { ...own, user },
    ownNames: [userInfo().username, ...(own.user === '' ? [] : [own.user])],
    hostKey,
    pinnace: await isPinnace(client),
    kit: () => (kit ??= bringKit(context, found.Id)),
    say: (line) => void context.stderr.write(`pinnace ssh: ${line}\n`),
  });
  process.exit(0);
}

async function bringKit(context: Context, container: string): Promise<void> {
  const client = await context.engine();
  if (await hasKit(client, container, { server: false })) return;
  const busybox = shellPath(context.env);
  const kit = await makeKit(
    { server: undefined, node: process.execPath, inside: insideProgram(), busybox },
    context.env,
  );
  await copyKit(client, container, kit);
}
