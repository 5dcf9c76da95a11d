/** `pinnace.engine.choose`: which engine the trees show and the commands work on. */
import type { Command, PickItem } from '../desk.ts';
import type { Engine } from '../../engine/engines.ts';
import { stateText } from '../../engine/describe.ts';

const ADD = Symbol('add');

export const engineChoose: Command = {
  id: 'pinnace.engine.choose',
  title: 'Choose Engine',
  icon: '$(plug)',
  run: async (desk, targets) => {
    const [target] = targets;
    if (target?.kind === 'engine') {
      await desk.engines.choose(target.id);
      return;
    }
    await desk.engines.find();
    const chosen = await desk.pick<string | typeof ADD>('Engine', [
      ...desk.engines.all.map((engine) => row(engine, desk.engines.active)),
      { label: '$(add) Add Engine…', value: ADD },
    ]);
    if (chosen === ADD) await desk.execute('pinnace.engine.add');
    else if (chosen !== undefined) await desk.engines.choose(chosen);
  },
};

function row(engine: Engine, active: Engine): PickItem<string> {
  const { label, id, address } = engine.entry;
  const description = engine === active ? `${stateText(engine)}, in use` : stateText(engine);
  return { label, description, detail: address, value: id };
}
