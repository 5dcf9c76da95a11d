/** `pinnace.container.kill`: sends a signal that the user chooses. */
import type { Command } from '../desk.ts';
import { forEach } from '../each.ts';
import { chooseMany, CONTAINERS } from '../targets.ts';
import { isUp } from './lifecycle.ts';

const SIGNALS: readonly { readonly label: string; readonly description: string }[] = [
  { label: 'SIGKILL', description: 'end at once, without asking the program' },
  { label: 'SIGTERM', description: 'ask the program to end' },
  { label: 'SIGINT', description: 'as Ctrl+C does' },
  { label: 'SIGHUP', description: 'many servers read their configuration again' },
  { label: 'SIGQUIT', description: 'end, with a core dump where that is allowed' },
  { label: 'SIGUSR1', description: "of the program's own meaning" },
  { label: 'SIGUSR2', description: "of the program's own meaning" },
  { label: 'SIGWINCH', description: "of the program's own meaning; Apache ends gracefully" },
  { label: 'SIGSTOP', description: 'halt' },
  { label: 'SIGCONT', description: 'go on after a halt' },
];

export const kill: Command = {
  id: 'pinnace.container.kill',
  title: 'Kill…',
  category: 'Pinnace Containers',
  icon: '$(zap)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, CONTAINERS, targets, {
      title: 'Kill which containers?',
      accept: (node) => isUp(node.summary.State),
      none: 'No container is running.',
    });
    if (nodes === undefined) return;
    const signal = await desk.pick(
      'Send which signal?',
      SIGNALS.map((item) => ({ ...item, value: item.label })),
    );
    if (signal === undefined) return;
    const { client } = await desk.engines.ready();
    await forEach(desk, {
      doing: `Sending ${signal} to`,
      verb: `send ${signal} to`,
      one: 'container',
      items: nodes,
      name: (node) => node.name,
      run: (node) => client.containers.kill(node.id, signal),
    });
  },
};
