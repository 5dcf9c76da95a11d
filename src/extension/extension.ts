/** The extension's composition root: makes the parts, hands them what they need, and ends them. No logic of its own. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { enginePaths } from '../client/engine/paths.ts';
import { messageOf } from '../lib/errors.ts';
import type { Desk } from './commands/desk.ts';
import { COMMANDS } from './commands/table.ts';
import { createCli } from './engine/cli.ts';
import { settingsEnvironment, startArguments } from './engine/settings.ts';
import { type EngineWatch, watchEngine } from './engine/watch.ts';
import { createLanguageClient, TRUST } from './language/client.ts';
import { createReports, type Reports } from './reports.ts';
import { statusFace } from './engine/status.ts';

let stopLanguage: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const bundle = (name: string): string => join(context.extensionPath, 'out', name);
  context.subscriptions.push(startLanguage(bundle('language-server.cjs')));
  const setting = (key: string): unknown => vscode.workspace.getConfiguration('pinnace').get(key);
  const environment = (): Record<string, string> => settingsEnvironment(setting);
  const engine = showEngine(context, environment);
  const cli = createCli({ program: bundle('cli.js'), node: process.execPath, environment });
  const reports = createReports();
  const desk = createDesk({ cli, engine, reports, startArguments: () => startArguments(setting) });
  context.subscriptions.push(reports);
  for (const { id, run } of COMMANDS) {
    context.subscriptions.push(vscode.commands.registerCommand(id, () => run(desk)));
  }
}

export function deactivate(): Promise<void> | undefined {
  return stopLanguage?.();
}

/** Gives the listener that tells the server of the user's trust. */
function startLanguage(server: string): vscode.Disposable {
  const client = createLanguageClient(server, { trusted: vscode.workspace.isTrusted });
  stopLanguage = async () => {
    if (client.needsStop()) await client.stop();
  };
  client.start().catch((error: unknown) => {
    void vscode.window.showErrorMessage(
      `Pinnace's language server did not start: ${messageOf(error)}`,
    );
  });
  return vscode.workspace.onDidGrantWorkspaceTrust(() => {
    void client.sendNotification(TRUST, { trusted: true });
  });
}

/** The status bar item; it looks again when the window gets the focus, when settings change and when the socket does. */
function showEngine(
  context: vscode.ExtensionContext,
  environment: () => Record<string, string>,
): EngineWatch {
  const item = vscode.window.createStatusBarItem('pinnace.engine', vscode.StatusBarAlignment.Left);
  item.name = 'Pinnace Engine';
  const show = (state: EngineWatch['state']): void => {
    const { text, tooltip, command, warning } = statusFace(state);
    item.text = text;
    item.tooltip = tooltip;
    item.command = command;
    item.backgroundColor = warning
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
  };
  const engine = watchEngine({
    socketPath: () => enginePaths({ env: { ...process.env, ...environment() } }).socket,
    onState: show,
  });
  context.subscriptions.push(
    item,
    engine,
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) void engine.refresh();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('pinnace')) void engine.refresh();
    }),
  );
  show(engine.state);
  item.show();
  void engine.refresh();
  return engine;
}

function createDesk(
  parts: Pick<Desk, 'cli' | 'engine' | 'startArguments'> & { readonly reports: Reports },
): Desk {
  const { cli, engine, reports, startArguments: args } = parts;
  return {
    cli,
    engine,
    startArguments: args,
    inform: (message) => void vscode.window.showInformationMessage(message),
    complain: async (message, ...actions) => vscode.window.showErrorMessage(message, ...actions),
    progress: async (title, work) =>
      vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title, cancellable: true },
        (_progress, token) => {
          const abort = new AbortController();
          token.onCancellationRequested(() => abort.abort());
          return work(abort.signal);
        },
      ),
    show: (document) => reports.show(document),
    execute: async (id) => {
      await vscode.commands.executeCommand(id);
    },
  };
}
