/** The panels of one kind of page: one for each subject, made again with the window, with the kind's own files from media/webview alone. Knows nothing of what pages show. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { wordsOfPage } from '../words/say.ts';
import { pageText } from './page.ts';

export interface PageKind<T> {
  /** The view type, `pinnace.logs`. */
  readonly view: string;
  /** The folder beneath media/webview: style.css, main.js, icon-light.svg and icon-dark.svg; page.css is for all. */
  readonly folder: string;
  /** What tells one subject from another: a second page of the same is not opened. */
  key(target: T): string;
  /** Of the tab, in the user's language. */
  title(target: T): string;
  /** What the page finds in its element #state and the editor keeps for the next window. */
  state(target: T): unknown;
  /** Listens to the page and feeds it, from before it is loaded until it is closed. */
  fill(panel: vscode.WebviewPanel, target: T): void;
}

export interface Panels<T> {
  /** Shows the page of the subject, the one that is there already if there is one. */
  open(target: T): void;
  /** Fills a panel that the editor has made again. */
  restore(panel: vscode.WebviewPanel, target: T): void;
}

const BODY = '<main id="app" class="app"></main>';

export function createPanels<T>(extension: vscode.Uri, kind: PageKind<T>): Panels<T> {
  const open = new Map<string, vscode.WebviewPanel>();
  const restore = (panel: vscode.WebviewPanel, target: T): void => {
    const key = kind.key(target);
    open.set(key, panel);
    panel.onDidDispose(() => open.delete(key));
    kind.fill(panel, target);
    const { folder } = kind;
    dress(panel, extension, { folder, title: kind.title(target), state: kind.state(target) });
  };
  return {
    open: (target) => {
      const known = open.get(kind.key(target));
      if (known !== undefined) {
        known.reveal();
        return;
      }
      const title = kind.title(target);
      restore(
        vscode.window.createWebviewPanel(
          kind.view,
          title,
          vscode.ViewColumn.Active,
          pageOptions(extension),
        ),
        target,
      );
    },
    restore,
  };
}

interface Content {
  /** Beneath media/webview. */
  readonly folder: string;
  readonly title: string;
  readonly state: unknown;
}

/** What pages may: run our scripts, read our files. */
export function pageOptions(extension: vscode.Uri): vscode.WebviewOptions {
  return { enableScripts: true, localResourceRoots: [pagesOf(extension)] };
}

/** Gives a panel its icon, its rights and its document. Who feeds it listens before. */
export function dress(panel: vscode.WebviewPanel, extension: vscode.Uri, content: Content): void {
  const media = vscode.Uri.joinPath(pagesOf(extension), content.folder);
  panel.iconPath = {
    light: vscode.Uri.joinPath(media, 'icon-light.svg'),
    dark: vscode.Uri.joinPath(media, 'icon-dark.svg'),
  };
  panel.webview.options = pageOptions(extension);
  panel.webview.html = htmlOf(panel.webview, media, content);
}

function pagesOf(extension: vscode.Uri): vscode.Uri {
  return vscode.Uri.joinPath(extension, 'media', 'webview');
}

function htmlOf(webview: vscode.Webview, media: vscode.Uri, { title, state }: Content): string {
  const file = (name: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(media, name)).toString();
  const json = JSON.stringify(state ?? null).replaceAll('<', '\\u003c');
  return pageText({
    title,
    source: webview.cspSource,
    nonce: randomBytes(16).toString('hex'),
    styles: [file('../page.css'), file('style.css')],
    scripts: [file('main.js')],
    body: [
      BODY,
      `<script type="application/json" id="state">${json}</script>`,
      `<script type="application/json" id="words">${wordsOfPage()}</script>`,
    ].join('\n'),
  });
}
