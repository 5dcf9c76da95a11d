/** `bridge`: the process behind an open dev container's window. For the editor, not for people: it is left out of the help. */
import { serveBridge, TOKEN_VARIABLE } from '../../client/devcontainer/bridge.ts';
import { inside } from '../../client/devcontainer/exec.ts';
import { LOCAL_FOLDER } from '../../lib/devcontainer/labels.ts';
import { connect, type Register } from '../context.ts';
import { enginePaths } from '../../client/engine/paths.ts';

interface BridgeFlags {
  port: string;
  idle: string;
}

export const bridge: Register = (program, context) => {
  program
    .command('bridge', { hidden: true })
    .description('a loopback port that leads to the VS Code Server of a container')
    .argument('<container>', 'its id')
    .requiredOption('--port <number>', 'the port inside')
    .option('--idle <seconds>', 'end when nobody was connected for so long', '600')
    .action(async (container: string, flags: BridgeFlags) => {
      context.ownSignals();
      const abort = new AbortController();
      for (const signal of ['SIGTERM', 'SIGINT'] as const)
        process.once(signal, () => abort.abort());
      // The window that started it may be gone: nobody reads what is said then.
      process.on('SIGHUP', () => undefined);
      const host = program.opts<{ host?: string }>().host;
      const client = await context.engine();
      const found = await client.containers.inspect(container);
      const socket = context.env['SSH_AUTH_SOCK'];
      const how = inside(found, found.Config.Labels?.[LOCAL_FOLDER] ?? '/', [], context.env);
      await serveBridge(
        {
          connect: () => connect(host, context.env),
          container: found.Id,
          inner: Number(flags.port),
          token: context.env[TOKEN_VARIABLE] ?? '',
          ...(socket === undefined || socket === '' ? {} : { agent: { socket, how } }),
          runRoot: enginePaths({ env: context.env }).runRoot,
          idleMs: Number(flags.idle) * 1000,
          signal: abort.signal,
        },
        (state) => context.stdout.write(`${JSON.stringify(state)}\n`),
      );
      process.exit(0);
    });
};
