/** `pinnace.engine.stop`: ends the user's engine; its containers go on. */
import { messageOf } from '../../lib/errors.ts';
import { complaintOf } from '../engine/cli.ts';
import type { Command } from './desk.ts';

export const engineStop: Command = {
  id: 'pinnace.engine.stop',
  title: 'Stop Engine',
  run: async (desk) => {
    try {
      const answer = await desk.progress('Stopping the Pinnace engine', (signal) =>
        desk.cli.run(['engine', 'stop'], signal),
      );
      if (answer.status === 0) desk.inform(`Pinnace: ${answer.stdout.trim()}`);
      else await desk.complain(`The Pinnace engine did not stop: ${complaintOf(answer)}`);
    } catch (error) {
      await desk.complain(`The Pinnace engine could not be stopped: ${messageOf(error)}`);
    } finally {
      await desk.engine.refresh();
    }
  },
};
