/**
 * The extension's composition root: makes the parts, hands them what they need, and ends them. No logic of its own.
 * What is imported here is loaded at activation; everything heavy is imported when it is first needed.
 */
import { join } from 'node:path';
import * as vscode from 'vscode';
import { messageOf } from '../lib/errors.ts';
import { AREAS } from './areas.ts';
import type { Desk } from './commands/desk.ts';
import { createDesk } from './desk-vscode.ts';
import { createCli } from './engine/cli.ts';
import { createFleet, type Fleet } from './engine/fleet.ts';
import { settingsEnvironment, startArguments } from './engine/settings.ts';
import { showStatus } from './engine/status-bar.ts';
import { createFirstSteps } from './first-steps.ts';
import { createLive } from './live/live.ts';
import type { Parts } from './parts.ts';
import { registerCommands } from './registration.ts';
import { createReports } from './reports.ts';
import { registerResolver } from './resolver/register.ts';
import type { CredentialSource } from './registries/credentials.ts';
import type { Node } from './views/nodes.ts';

let stopLanguage: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('Pinnace', { log: true });
  const engines = createEngines(context, log);
  const live = createLive({ engines, log: (message) => log.debug(message) });
  const selections = new Map<string, () => readonly Node[]>();
  const reports = createReports();
  const firstSteps = createFirstSteps();
  let credentials: CredentialSource = { authFor: () => Promise.resolve(undefined) };
  const desk = createDesk(context, {
    cli: createCommandLine(context),
    engines,
    live,
    credentials: {
      authFor: (reference) => credentials.authFor(reference),
      get registries() {
        return credentials.registries;
      },
    },
    startArguments: () => startArguments(setting),
    show: (document) => reports.show(document),
  });
  context.subscriptions.push(log, engines, live, reports, firstSteps);
  registerCommands({ context, desk, engines, log, selections });
  showStatus(context, engines).count(live);
  watchSurroundings(context, engines);
  context.subscriptions.push(
    engines.onDidChange(() => {
      if (engines.active.state.kind === 'ready') firstSteps.did('engine');
    }),
  );
  const parts: Parts = {
    context,
    desk,
    engines,
    live,
    log,
    firstSteps,
    provideCredentials: (source) => {
      credentials = source;
    },
    selection: (view, selected) => {
      selections.set(view, selected);
      return new vscode.Disposable(() => selections.delete(view));
    },
  };
  const plugged = Promise.withResolvers<unknown>();
  registerResolver(parts, plugged.promise);
  // After the activation, so that the editor does not wait for it.
  setImmediate(() => {
    plugged.resolve(plugAreas(parts));
    void startLanguage(context, { log, engines, desk }, plugged.promise);
    void engines.find().then(() => engines.refreshActive());
  });
}

export function deactivate(): Promise<void> | undefined {
  return stopLanguage?.();
}

function setting(key: string): unknown {
  return vscode.workspace.getConfiguration('pinnace').get(key);
}

function createCommandLine(context: vscode.ExtensionContext): Desk['cli'] {
  const program = join(context.extensionPath, 'out', 'cli.js');
  return createCli({
    program,
    node: process.execPath,
    environment: () => settingsEnvironment(setting),
  });
}

const CHOICE = 'engine';

function createEngines(context: vscode.ExtensionContext, log: vscode.LogOutputChannel): Fleet {
  return createFleet({
    cli: createCommandLine(context),
    environment: () => settingsEnvironment(setting),
    startArguments: () => startArguments(setting),
    surroundings: () => ({
      env: process.env,
      uid: process.getuid?.() ?? 0,
      setting: setting('engines'),
    }),
    chosen: () => context.globalState.get<string>(CHOICE),
    remember: async (id) => {
      await context.globalState.update(CHOICE, id);
    },
    log: (message) => log.info(message),
  });
}

/** The engines are looked at again when settings change, and when the window comes to the front. */
function watchSurroundings(context: vscode.ExtensionContext, engines: Fleet): void {
  context.subscriptions.push(
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (focused) void engines.refreshActive();
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (
        event.affectsConfiguration('pinnace.engine') ||
        event.affectsConfiguration('pinnace.engines')
      )
        void engines.find().then(() => engines.refreshActive());
    }),
  );
}

/** Resolves when all are plugged in, or have failed. */
async function plugAreas(parts: Parts): Promise<void> {
  const plugging = AREAS.map(async ([name, plug]) => {
    try {
      await plug(parts);
    } catch (error) {
      parts.log.error(`${name}: ${messageOf(error)}`);
    }
  });
  await Promise.all(plugging);
}

async function startLanguage(
  context: vscode.ExtensionContext,
  { log, engines, desk }: Pick<Parts, 'log' | 'engines' | 'desk'>,
  plugged: Promise<unknown>,
): Promise<void> {
  try {
    const { createLanguageClient, TRUST } = await import('./language/client.ts');
    const server = join(context.extensionPath, 'out', 'language-server.cjs');
    const { address } = engines.active.entry;
    const client = createLanguageClient(server, {
      trusted: vscode.workspace.isTrusted,
      engineSocket: address.startsWith('unix://') ? address.slice('unix://'.length) : '',
      loginAt: async (host) => {
        await plugged;
        return desk.credentials.registries?.account(host);
      },
    });
    stopLanguage = async () => {
      if (client.needsStop()) await client.stop();
    };
    context.subscriptions.push(
      vscode.workspace.onDidGrantWorkspaceTrust(() => {
        void client.sendNotification(TRUST, { trusted: true });
      }),
    );
    await client.start();
  } catch (error) {
    const message = `Pinnace's language server did not start: ${messageOf(error)}`;
    log.error(message);
    void vscode.window.showErrorMessage(message);
  }
}
