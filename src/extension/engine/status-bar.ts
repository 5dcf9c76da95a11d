/** The status bar item and the context keys of the active engine: shows what engines and holdings say, decides nothing. */
import * as vscode from 'vscode';
import type { LiveStore } from '../live/store.ts';
import type { Engines } from './engines.ts';
import { FEATURES } from './features.ts';
import { sayFacts } from '../words/say.ts';
import { statusFace } from './status.ts';

export function showStatus(context: vscode.ExtensionContext, engines: Engines): StatusBar {
  const item = vscode.window.createStatusBarItem('pinnace.engine', vscode.StatusBarAlignment.Left);
  item.name = vscode.l10n.t('Pinnace Engine');
  const keys = new Map<string, unknown>();
  let live: LiveStore | undefined;
  const show = (): void => {
    const engine = engines.active;
    const face = statusFace(engine, live === undefined ? undefined : running(live));
    item.text = face.text;
    item.tooltip = sayFacts(face.tooltip, '\n');
    item.command = face.command;
    item.accessibilityInformation = { label: sayFacts(face.spoken, ', '), role: 'button' };
    item.backgroundColor = face.warning
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
    setKey('pinnace.engine', engine.state.kind);
    setKey('pinnace.engineKind', engine.entry.kind);
    setKey('pinnace.live', live?.state ?? 'off');
    setKey('pinnace.bundled', engine.entry.id === 'pinnace');
    setKey('pinnace.doctor', engine.state.kind === 'failed' && engine.state.doctor);
    for (const feature of FEATURES) setKey(`pinnace.has.${feature}`, engine.has(feature));
  };
  const setKey = (key: string, value: unknown): void => {
    if (keys.get(key) === value && keys.has(key)) return;
    keys.set(key, value);
    void vscode.commands.executeCommand('setContext', key, value);
  };
  context.subscriptions.push(item, engines.onDidChange(show));
  show();
  item.show();
  return {
    count: (store) => {
      live = store;
      context.subscriptions.push(
        store.onDidChange(({ kind }) => {
          if (kind === 'container') show();
        }),
        store.onDidChangeState(show),
      );
      show();
    },
  };
}

export interface StatusBar {
  /** Counts the running containers from now on. */
  count(live: LiveStore): void;
}

function running(live: LiveStore): number | undefined {
  if (live.state !== 'live' && live.state !== 'lost') return undefined;
  let count = 0;
  for (const { State } of live.all('container').values()) if (State === 'running') count += 1;
  return count;
}
