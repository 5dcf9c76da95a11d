/** Plugs the log view, the charts and the carried ports into the editor; their code runs only once they are asked for. */
import * as vscode from 'vscode';
import { FORWARD } from '../commands/containers/browse.ts';
import { OPEN_LOGS, OPEN_STATS, type PanelTarget } from '../commands/containers/logs.ts';
import type { Parts } from '../parts.ts';
import { createForwards } from '../ports/forward.ts';
import { createLogPanels, LOGS_VIEW } from './logs/panel.ts';
import { createStatsPanels, STATS_VIEW } from './stats/panel.ts';

export function plugWebviews(parts: Parts): void {
  const { context } = parts;
  const logs = createLogPanels(parts);
  const stats = createStatsPanels(parts);
  const forwards = createForwards({
    dial: async (container, port) =>
      (await parts.engines.ready()).client.containers.dial(container, port),
  });
  context.subscriptions.push(
    { dispose: () => forwards.close() },
    vscode.commands.registerCommand(OPEN_LOGS, (targets: unknown) => {
      for (const target of targetsOf(targets)) logs.open(target);
    }),
    vscode.commands.registerCommand(OPEN_STATS, (targets: unknown) =>
      stats.open(targetsOf(targets)),
    ),
    vscode.commands.registerCommand(FORWARD, async (id: unknown, name: unknown, port: unknown) => {
      if (typeof id !== 'string' || typeof port !== 'number') return undefined;
      const local = await forwards.open(id, port);
      tellForward({ name: String(name), port, local, stop: () => forwards.stop(id, port) });
      return local;
    }),
    vscode.window.registerWebviewPanelSerializer(LOGS_VIEW, {
      deserializeWebviewPanel: (panel, state: unknown) => {
        const [target] = targetsOf([state]);
        if (target === undefined) panel.dispose();
        else logs.restore(panel, target);
        return Promise.resolve();
      },
    }),
    vscode.window.registerWebviewPanelSerializer(STATS_VIEW, {
      deserializeWebviewPanel: (panel, state: unknown) => {
        const targets = targetsOf((state as { targets?: unknown } | undefined)?.targets);
        if (targets.length === 0) panel.dispose();
        else stats.restore(panel, targets);
        return Promise.resolve();
      },
    }),
  );
}

function tellForward(forward: {
  readonly name: string;
  readonly port: number;
  readonly local: number;
  readonly stop: () => void;
}): void {
  const stop = vscode.l10n.t('Stop Forwarding');
  const message = vscode.l10n.t(
    'Port {0} of {1} is forwarded to localhost:{2}.',
    forward.port,
    forward.name,
    forward.local,
  );
  void vscode.window.showInformationMessage(message, stop).then((chosen) => {
    if (chosen === stop) forward.stop();
  });
}

/** State of a window before this one is as foreign as any input. */
function targetsOf(value: unknown): PanelTarget[] {
  return (Array.isArray(value) ? (value as unknown[]) : []).flatMap((item) => {
    if (typeof item !== 'object' || item === null || !('id' in item) || !('name' in item))
      return [];
    const { id, name } = item;
    return typeof id === 'string' && typeof name === 'string' ? [{ id, name }] : [];
  });
}
