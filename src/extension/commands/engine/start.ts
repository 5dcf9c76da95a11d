/** `pinnace.engine.start`: makes the active engine ready; the bundled one is started. */
import { kindOf, messageOf } from '../../../lib/errors.ts';
import type { Command } from '../desk.ts';

const DOCTOR = 'Run Doctor';
const LOG = 'Show Log';

export const engineStart: Command = {
  id: 'pinnace.engine.start',
  title: 'Start Engine',
  icon: '$(play)',
  run: async (desk, targets) => {
    const [target] = targets;
    if (target?.kind === 'engine' && target.id !== desk.engines.active.entry.id)
      await desk.engines.choose(target.id);
    const { label, kind } = desk.engines.active.entry;
    try {
      await desk.progress(`Starting ${label}`, (signal) => desk.engines.ready(signal));
    } catch (error) {
      if (kindOf(error) === 'cancelled') return;
      const actions = kind === 'pinnace' ? [DOCTOR, LOG] : [LOG];
      const chosen = await desk.complain(
        `${label} cannot be used: ${messageOf(error)}`,
        ...actions,
      );
      if (chosen === DOCTOR) await desk.execute('pinnace.doctor');
      if (chosen === LOG) await desk.execute('pinnace.showLog');
    }
  },
};
