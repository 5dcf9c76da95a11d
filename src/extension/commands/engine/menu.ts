/** `pinnace.engine.menu`: what can be done with the engine, behind the status bar item. */
import { stateText } from '../../engine/describe.ts';
import type { Command, PickItem } from '../desk.ts';

export const engineMenu: Command = {
  id: 'pinnace.engine.menu',
  title: 'Engine Menu',
  run: async (desk) => {
    const engine = desk.engines.active;
    const { entry, state } = engine;
    const ready = state.kind === 'ready';
    const bundled = entry.id === 'pinnace';
    const items: (PickItem<string> | undefined)[] = [
      ready
        ? undefined
        : {
            label: bundled ? '$(play) Start Engine' : '$(sync) Connect',
            value: 'pinnace.engine.start',
          },
      ready && bundled
        ? {
            label: '$(debug-stop) Stop Engine',
            description: 'containers go on',
            value: 'pinnace.engine.stop',
          }
        : undefined,
      { label: '$(list-tree) Show Containers', value: 'pinnace.containers.focus' },
      { label: '$(plug) Choose Engine…', value: 'pinnace.engine.choose' },
      {
        label: '$(copy) Copy DOCKER_HOST',
        description: entry.address,
        value: 'pinnace.engine.copyAddress',
      },
      { label: '$(pulse) Doctor: Check This Machine', value: 'pinnace.doctor' },
      { label: '$(output) Show Log', value: 'pinnace.showLog' },
      { label: '$(gear) Settings', value: 'pinnace.engine.settings' },
    ];
    const chosen = await desk.pick(
      `${entry.label}: ${stateText(engine)}`,
      items.filter((item) => item !== undefined),
    );
    if (chosen !== undefined) await desk.execute(chosen);
  },
};
