/** `pinnace.engine.start`: starts the user's engine, or finds it running. */
import { kindOf, messageOf } from '../../lib/errors.ts';
import { complaintOf } from '../engine/cli.ts';
import type { Command, Desk } from './desk.ts';

const DOCTOR = 'Run Doctor';

export const engineStart: Command = {
  id: 'pinnace.engine.start',
  title: 'Start Engine',
  run: async (desk) => {
    const failed = await desk.progress('Starting the Pinnace engine', (signal) =>
      start(desk, signal),
    );
    await desk.engine.refresh();
    if (failed === undefined) return;
    const chosen = await desk.complain(`The Pinnace engine did not start: ${failed}`, DOCTOR);
    if (chosen === DOCTOR) await desk.execute('pinnace.doctor');
  },
};

/** What went wrong, or undefined. */
async function start(desk: Desk, signal: AbortSignal): Promise<string | undefined> {
  try {
    const answer = await desk.cli.run(
      ['engine', 'start', '--json', ...desk.startArguments()],
      signal,
    );
    if (answer.status !== 0) return complaintOf(answer);
    const { socket, started } = JSON.parse(answer.stdout) as { socket: string; started: boolean };
    desk.inform(
      started
        ? `The Pinnace engine serves unix://${socket}`
        : `The Pinnace engine runs already: unix://${socket}`,
    );
    return undefined;
  } catch (error) {
    return kindOf(error) === 'cancelled' ? undefined : messageOf(error);
  }
}
