/** `engine start|stop|status|purge`: the daemon of this user. */

import { purgeEngine } from '../../client/engine/purge.ts';
import { EngineError } from '../../lib/errors.ts';
import { startEngine } from '../../client/engine/start.ts';
import { engineStatus } from '../../client/engine/status.ts';
import { stopEngine } from '../../client/engine/stop.ts';
import type { Register } from '../context.ts';

interface EngineFlags {
  dataRoot?: string;
  runRoot?: string;
  mode?: 'auto' | 'system' | 'rootless' | 'single-id';
  idleExit?: string;
  foreground?: boolean;
  hostLoopback?: boolean;
  json?: boolean;
  yes?: boolean;
}

export const engine: Register = (program, context) => {
  const group = program.command('engine').description('start, stop and look at the engine');
  const roots = (
    flags: EngineFlags,
  ): { env: NodeJS.ProcessEnv; dataRoot?: string; runRoot?: string } => ({
    env: context.env,
    ...(flags.dataRoot === undefined ? {} : { dataRoot: flags.dataRoot }),
    ...(flags.runRoot === undefined ? {} : { runRoot: flags.runRoot }),
  });
  const add = (name: string, text: string): ReturnType<typeof group.command> =>
    group
      .command(name)
      .description(text)
      .option('--data-root <dir>', 'images, volumes and containers (PINNACE_DATA_ROOT)')
      .option('--run-root <dir>', 'socket and shims (PINNACE_RUN_ROOT)')
      .option('--json', 'answer as JSON');
  add('start', 'start the engine and print the address of its socket')
    .option('--mode <mode>', 'auto, system, rootless or single-id')
    .option('--idle-exit <seconds>', 'end when nothing has run for so long; 0: never')
    .option(
      '--host-loopback',
      "let containers reach the host's loopback at host-gateway (PINNACE_HOST_LOOPBACK=1)",
    )
    .option('--foreground', 'stay in the foreground')
    .action(async (flags: EngineFlags) => {
      if (flags.foreground === true) context.ownSignals();
      const started = await startEngine({
        ...roots(flags),
        ...(flags.mode === undefined ? {} : { mode: flags.mode }),
        ...(flags.idleExit === undefined ? {} : { idleExit: Number(flags.idleExit) }),
        ...(flags.foreground === true ? { foreground: true } : {}),
        ...(flags.hostLoopback === true ? { hostLoopback: true } : {}),
      });
      if (flags.hostLoopback === true && !started.started)
        context.stderr.write(
          'WARNING: the engine runs already: --host-loopback has no effect until it is stopped and started again\n',
        );
      context.stdout.write(
        flags.json === true ? `${JSON.stringify(started)}\n` : `unix://${started.socket}\n`,
      );
    });
  add('stop', 'stop the engine; its containers go on').action(async (flags: EngineFlags) => {
    const stopped = await stopEngine(roots(flags));
    if (flags.json === true) context.stdout.write(`${JSON.stringify({ stopped })}\n`);
    else context.stdout.write(stopped ? 'the engine has stopped\n' : 'no engine was running\n');
  });
  add('status', 'whether the engine runs, and how').action(async (flags: EngineFlags) => {
    const status = await engineStatus(roots(flags));
    if (flags.json === true)
      context.stdout.write(`${JSON.stringify(status ?? { running: false })}\n`);
    else if (status === undefined) context.stdout.write('the engine is not running\n');
    else {
      const { version, pid, mode, socket, containers } = status;
      context.stdout.write(
        `Pinnace ${version}, process ${pid}, mode ${mode}\nunix://${socket}\n${containers.running} of ${containers.total} containers running\n`,
      );
    }
    if (status === undefined) context.exit(1);
  });
  add('purge', "remove every container, image and volume, and the engine's folders")
    .option('--yes', 'yes, remove them')
    .action(async (flags: EngineFlags) => {
      if (flags.yes !== true) {
        throw new EngineError(
          'invalid',
          'engine purge removes all containers, images and volumes: add --yes',
        );
      }
      for (const root of await purgeEngine(roots(flags))) context.stdout.write(`removed ${root}\n`);
    });
};
