/** The panels of container logs: one for each container, made again with the window. Reads through followLog; draws nothing itself. */
import { writeFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { messageOf } from '../../../lib/errors.ts';
import type { PanelTarget } from '../../commands/containers/logs.ts';
import type { Parts } from '../../parts.ts';
import { say } from '../../words/say.ts';
import { createPanels, type Panels } from '../panels.ts';
import { createFeed } from './feed.ts';
import { isFromView, type ToView } from './messages.ts';
import { followLog } from './source.ts';

export const LOGS_VIEW = 'pinnace.logs';

/** What a view keeps at most; older lines go, and it says so. */
const LIMIT = 200_000;

export function createLogPanels(parts: Parts): Panels<PanelTarget> {
  return createPanels(parts.context.extensionUri, {
    view: LOGS_VIEW,
    folder: 'logs',
    key: ({ id }) => id,
    title: ({ name }) => vscode.l10n.t('Logs: {0}', name),
    state: (target) => target,
    fill: (panel, target) => follow(parts, panel, target),
  });
}

function follow(parts: Parts, panel: vscode.WebviewPanel, target: PanelTarget): void {
  const { webview } = panel;
  let reading = new AbortController();
  const send = (message: ToView): void => {
    const isState = message.type === 'state';
    void webview.postMessage(isState ? { ...message, text: say(message.text) } : message);
  };
  let feed = createFeed(send);
  const read = async (): Promise<void> => {
    // A view that was hidden comes back empty: it is read again from the tail.
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    send({ type: 'reset', name: target.name, limit: LIMIT });
    feed = createFeed((message) => {
      if (!signal.aborted) send(message);
    });
    try {
      const { client } = await parts.engines.ready(signal);
      await followLog(client, target.id, feed, signal);
    } catch (error) {
      if (!signal.aborted) feed.state(messageOf(error), { live: false });
    }
  };
  webview.onDidReceiveMessage(async (message: unknown) => {
    if (!isFromView(message)) return;
    if (message.type === 'ready') void read();
    else if (message.type === 'more') feed.more();
    else if (message.type === 'copy') await parts.desk.copy(message.text);
    else await saveLog(parts, target, message.text);
  });
  panel.onDidDispose(() => reading.abort());
}

async function saveLog({ desk }: Parts, { name }: PanelTarget, text: string): Promise<void> {
  try {
    const path = await desk.chooseTarget({ title: `Save the log of ${name}`, name: `${name}.log` });
    if (path === undefined) return;
    await writeFile(path, text);
    await desk.inform(`${path} is written.`);
  } catch (error) {
    await desk.complain(`The log was not saved: ${messageOf(error)}`);
  }
}
