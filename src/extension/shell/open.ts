/** Opens a shell in a container: its own where it has one, else the one that is brought along. */
import type { Desk } from '../commands/desk.ts';
import type { ContainerNode } from '../views/nodes.ts';
import { EngineError, kindOf } from '../../lib/errors.ts';
import { chooseShell } from './choose.ts';
import { shellSession } from './session.ts';
import { bringShell } from './tool.ts';

/** Shipped for containers without a shell; docs/decisions tells its licence. */
export const BUSYBOX = 'out/native/busybox';

export async function openShell(
  desk: Desk,
  { id, name }: Pick<ContainerNode, 'id' | 'name'>,
): Promise<void> {
  const engine = await desk.engines.ready();
  const { client } = engine;
  const { State, Config } = await client.containers.inspect(id);
  if (!State.Running || State.Paused) {
    const state = State.Paused ? 'paused' : State.Status;
    throw new EngineError('conflict', `${name} is ${state}: a shell needs a running container.`);
  }
  const path = await chooseShell(client.containers, id, Config.User ?? '');
  if (path !== undefined) {
    desk.terminal(shellSession(client, { container: id, name, exec: { Cmd: [path] } }));
    return;
  }
  const greeting = `${name} has no shell: this is busybox, brought by Pinnace.`;
  if (engine.has('pinnace')) {
    const exec = { Cmd: ['-i'], PinnaceTool: 'shell' as const };
    desk.terminal(shellSession(client, { container: id, name, greeting, exec }));
    return;
  }
  const agreed = await desk.confirm({
    message: `${name} has no shell. Copy one in?`,
    detail:
      'A static busybox (2 MB) is put into its root folder and removed when the terminal ends.',
    action: 'Copy and Open',
  });
  if (!agreed) return;
  const brought = await bringShell(client, id, { source: desk.asset(BUSYBOX) });
  desk.terminal(
    shellSession(client, {
      container: id,
      name,
      greeting,
      exec: { Cmd: [brought.path, 'sh'] },
      after: () =>
        brought.remove().catch(async (error: unknown) => {
          if (kindOf(error) !== 'unavailable')
            await desk.complain(`The shell stays in ${name} as ${brought.path}: ${String(error)}`);
        }),
    }),
  );
}
