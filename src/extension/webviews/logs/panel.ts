/** The panels of container logs: one for each container, made again with the window. Reads through followLog; draws nothing itself. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { messageOf } from '../../../lib/errors.ts';
import type { PanelTarget } from '../../commands/containers/logs.ts';
import type { Parts } from '../../parts.ts';
import { pageText } from '../page.ts';
import { createFeed } from './feed.ts';
import { isFromView, type ToView } from './messages.ts';
import { followLog } from './source.ts';

export const LOGS_VIEW = 'pinnace.logs';

/** What a view keeps at most; older lines go, and it says so. */
const LIMIT = 200_000;

const BODY = '<div id="app" class="app"></div>';

export interface LogPanels {
  open(target: PanelTarget): void;
  /** Fills a panel that the editor has made again. */
  restore(panel: vscode.WebviewPanel, target: PanelTarget): void;
}

export function createLogPanels(parts: Parts): LogPanels {
  const panels = new Map<string, vscode.WebviewPanel>();
  const media = vscode.Uri.joinPath(parts.context.extensionUri, 'media', 'webview', 'logs');
  const fill = (panel: vscode.WebviewPanel, target: PanelTarget): void => {
    panels.set(target.id, panel);
    panel.onDidDispose(() => panels.delete(target.id));
    fillPanel(parts, { panel, media, target });
  };
  return {
    open: (target) => {
      const known = panels.get(target.id);
      if (known !== undefined) {
        known.reveal();
        return;
      }
      const title = vscode.l10n.t('Logs: {0}', target.name);
      const options = { enableScripts: true, localResourceRoots: [media] };
      fill(
        vscode.window.createWebviewPanel(LOGS_VIEW, title, vscode.ViewColumn.Active, options),
        target,
      );
    },
    restore: fill,
  };
}

interface Panel {
  readonly panel: vscode.WebviewPanel;
  readonly media: vscode.Uri;
  readonly target: PanelTarget;
}

function fillPanel(parts: Parts, { panel, media, target }: Panel): void {
  const { webview } = panel;
  let reading = new AbortController();
  const send = (message: ToView): void => void webview.postMessage(message);
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
  webview.options = { enableScripts: true, localResourceRoots: [media] };
  webview.html = pageText({
    title: target.name,
    source: webview.cspSource,
    nonce: randomBytes(16).toString('hex'),
    styles: [webview.asWebviewUri(vscode.Uri.joinPath(media, 'style.css')).toString()],
    scripts: [webview.asWebviewUri(vscode.Uri.joinPath(media, 'main.js')).toString()],
    body: `${BODY}\n<script type="application/json" id="state">${JSON.stringify(target).replaceAll('<', '\\u003c')}</script>`,
  });
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
