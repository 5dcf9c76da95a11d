/** The panel of live charts: one panel for the containers it was opened with; reads the engine's stats, draws nothing itself. */
import { setTimeout as delay } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { Client } from '../../../client/api/client.ts';
import { kindOf, messageOf } from '../../../lib/errors.ts';
import type { PanelTarget } from '../../commands/containers/logs.ts';
import type { Parts } from '../../parts.ts';
import { say } from '../../words/say.ts';
import { createPanels, type Panels } from '../panels.ts';
import { type Sample, sampleOf } from './sample.ts';

export const STATS_VIEW = 'pinnace.stats';

/** Five minutes, one a second: what the charts show. */
const KEPT = 300;

/** What media/webview/stats/main.js is told. */
type ToView =
  | {
      readonly type: 'reset';
      readonly containers: readonly (PanelTarget & { readonly samples: readonly Sample[] })[];
    }
  | { readonly type: 'sample'; readonly id: string; readonly sample: Sample }
  | { readonly type: 'state'; readonly id: string; readonly text: string };

export function createStatsPanels(parts: Parts): Panels<readonly PanelTarget[]> {
  return createPanels(parts.context.extensionUri, {
    view: STATS_VIEW,
    folder: 'stats',
    key: (targets) =>
      targets
        .map(({ id }) => id)
        .sort()
        .join(' '),
    title: (targets) => {
      const [first] = targets;
      return targets.length === 1 && first !== undefined
        ? vscode.l10n.t('Stats: {0}', first.name)
        : vscode.l10n.t('Stats: {0} containers', targets.length);
    },
    state: (targets) => ({ targets }),
    fill: (panel, targets) => watchAll(parts, panel, targets),
  });
}

function watchAll(parts: Parts, panel: vscode.WebviewPanel, targets: readonly PanelTarget[]): void {
  const { webview } = panel;
  const abort = new AbortController();
  const samples = new Map<string, Sample[]>(targets.map(({ id }) => [id, []]));
  const send = (message: ToView): void => void webview.postMessage(message);
  const watch = async ({ id }: PanelTarget): Promise<void> => {
    for await (const event of watchStats(parts, id, abort.signal)) {
      if (typeof event === 'string') {
        send({ type: 'state', id, text: say(event) });
        continue;
      }
      const kept = samples.get(id) ?? [];
      kept.push(event);
      if (kept.length > KEPT) kept.shift();
      send({ type: 'sample', id, sample: event });
    }
  };
  webview.onDidReceiveMessage((message: unknown) => {
    if (typeof message !== 'object' || message === null || !('type' in message)) return;
    // A view that was hidden comes back empty; the samples were kept here.
    const containers = targets.map((target) => ({
      ...target,
      samples: samples.get(target.id) ?? [],
    }));
    if (message.type === 'ready') send({ type: 'reset', containers });
  });
  panel.onDidDispose(() => abort.abort());
  for (const target of targets) void watch(target);
}

const RETRY_MS = 1000;

/** Samples, and sentences about why there are none; goes on when the container or the engine comes back. */
async function* watchStats(
  parts: Parts,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Sample | string, void, undefined> {
  const over = (): boolean => signal.aborted;
  while (!over()) {
    try {
      const { client } = await parts.engines.ready(signal);
      const { State } = await client.containers.inspect(id, { signal });
      if (State.Running) yield* readStats(client, id, signal);
      else yield `exited with status ${String(State.ExitCode)}`;
    } catch (error) {
      if (over()) return;
      if (kindOf(error) === 'not-found') {
        yield 'removed';
        return;
      }
      yield messageOf(error);
    }
    await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function* readStats(
  client: Client,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Sample | string, void, undefined> {
  let before: Record<string, unknown> | undefined;
  for await (const stats of client.containers.stats(id, { stream: true, signal })) {
    // The engine goes on sending zeros for a container that has stopped.
    if (
      Object.keys((stats['memory_stats'] as object | null | undefined) ?? {}).length === 0 &&
      before !== undefined
    )
      return;
    yield sampleOf(stats, before);
    before = stats;
  }
}
