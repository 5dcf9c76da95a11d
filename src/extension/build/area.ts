/** Plugs building into the editor: the view of builds, its tab, the tasks, the diagnostics of failed steps. */
import * as vscode from 'vscode';
import { EngineError, messageOf } from '../../lib/errors.ts';
import type { Area, Parts } from '../parts.ts';
import { withBranches } from '../views/branches.ts';
import type { Node } from '../views/nodes.ts';
import { showTree } from '../views/tree.ts';
import { Builds, type StartedBuild } from './builds.ts';
import { type BuildPanel, createBuildPanel } from './panel.ts';
import { createBuildProblems } from './problems.ts';
import { type BuildRequest, titleOf } from './request.ts';
import { type BuildCandidates, previousOf, SERVICE } from './service.ts';
import { registerBuildTasks } from './tasks.ts';
import { rawText } from './terminal.ts';
import { BuildTree } from './tree-model.ts';

/** The language server's own command: what it knows of builds is old. */
const CHANGED = 'pinnace.languageServer.buildsChanged';

/** Above this many files a list to pick from helps nobody. */
const LIMIT = 200;

export const plugBuilds: Area = (parts) => {
  const { context, desk, engines, live } = parts;
  const builds = new Builds(engines, Date.now);
  const problems = createBuildProblems();
  const panel = createBuildPanel({
    builds,
    extension: context.extensionUri,
    goTo: (dockerfile, line) => void goTo(dockerfile, line),
    previous: (key) => previousOf(builds.journal.entries(), key)?.key,
    act: (type, key) => {
      const node = { kind: 'build', key, label: key };
      const verb = { cancel: 'cancel', rerun: 'again', copy: 'copy', compare: 'compare' }[type];
      void desk.execute(`pinnace.build.${verb}`, node);
    },
  });
  context.subscriptions.push(
    builds,
    problems,
    panel,
    registerBuildTasks({ builds, trusted: () => desk.trusted() }),
    builds.onNews(({ build }) => {
      if (build.record.stepList.length === 0 && build.record.status === 'running')
        problems.clear(build.request.dockerfile);
    }),
    builds.onEnd((build) => {
      problems.show(build);
      void live.refresh('image').catch(() => undefined);
      void tellLanguageServer(parts);
    }),
    ...registerServices(builds, panel),
  );
  plugView(parts, builds);
  let address = engines.active.entry.address;
  context.subscriptions.push(
    engines.onDidChange(() => {
      if (engines.active.entry.address === address) return;
      address = engines.active.entry.address;
      void tellLanguageServer(parts);
    }),
  );
};

function plugView(parts: Parts, builds: Builds): void {
  const { context, engines, log } = parts;
  const tree = showTree({
    id: 'pinnace.builds',
    model: withBranches(new BuildTree(builds.journal, Date.now), []),
  });
  const look = (): void => {
    if (!tree.view.visible) return;
    builds.journal.refresh().catch((error: unknown) => log.warn(`builds: ${messageOf(error)}`));
  };
  context.subscriptions.push(
    tree,
    tree.view.onDidChangeVisibility(look),
    engines.onDidChange(look),
    builds.journal.onDidChange(() => {
      const ended = builds.journal.entries().some(({ summary }) => summary.status === 'succeeded');
      if (ended) parts.firstSteps.did('build');
    }),
    parts.selection('pinnace.builds', () => tree.view.selection as readonly Node[]),
  );
  look();
}

function registerServices(builds: Builds, panel: BuildPanel): vscode.Disposable[] {
  const { journal } = builds;
  const register = vscode.commands.registerCommand;
  return [
    register(SERVICE.start, async (request: BuildRequest) => {
      void (await startShown(builds, panel, request)).done;
    }),
    register(SERVICE.build, async (request: BuildRequest) => {
      const { record } = await (await startShown(builds, panel, request)).done;
      return record.status === 'succeeded' ? record.image : undefined;
    }),
    register(SERVICE.open, (key: string) => panel.open(key)),
    register(SERVICE.compare, (older: string, newer: string) => panel.compare(older, newer)),
    register(SERVICE.forget, (key: string) => journal.forget(key)),
    register(SERVICE.cancel, (key: string) => journal.cancel(key)),
    register(SERVICE.text, (key: string) => textOf(builds, key)),
    register(SERVICE.entries, async () => {
      await journal.refresh();
      return journal.entries();
    }),
    register(SERVICE.candidates, () => candidates()),
    register(SERVICE.goTo, (path: string, line: number) => goTo(path, line)),
  ];
}

/** Starts a build in its tab and tells when it succeeded. */
async function startShown(
  builds: Builds,
  panel: BuildPanel,
  request: BuildRequest,
): Promise<StartedBuild> {
  const started = await builds.start(request);
  panel.open(started.key);
  void started.done.then(({ record }) => {
    if (record.status !== 'succeeded') return;
    const message = vscode.l10n.t('$(pass) Built {0}', titleOf(record));
    vscode.window.setStatusBarMessage(message, 8000);
  });
  return started;
}

async function textOf({ journal }: Builds, key: string): Promise<string> {
  const record = await journal.record(key);
  const logs = new Map<number, string>();
  for (const { index, logTail } of record.stepList) {
    logs.set(index, (await journal.log(key, index)) || logTail);
  }
  const before = await journal.log(key, undefined);
  return rawText(record, { before, log: (step) => logs.get(step) ?? '' });
}

async function candidates(): Promise<BuildCandidates> {
  const document = vscode.window.activeTextEditor?.document;
  const active =
    document?.languageId === 'dockerfile' && document.uri.scheme === 'file'
      ? document.uri.fsPath
      : undefined;
  const pattern = '**/{*[Dd]ockerfile*,*Containerfile*}';
  const found = await vscode.workspace.findFiles(pattern, '**/{node_modules,.git}/**', LIMIT);
  const files = found
    .filter(({ scheme, path }) => scheme === 'file' && !path.endsWith('ignore'))
    .map(({ fsPath }) => fsPath)
    .sort();
  return { active, files };
}

async function goTo(path: string, line: number): Promise<void> {
  const place = new vscode.Position(Math.max(0, line - 1), 0);
  const uri = vscode.Uri.file(path);
  try {
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { selection: new vscode.Range(place, place) });
  } catch (cause) {
    throw new EngineError('not-found', `The Dockerfile ${path} cannot be opened.`, { cause, path });
  }
}

/** It runs only where a Dockerfile was opened. */
async function tellLanguageServer({ engines, log }: Parts): Promise<void> {
  const { address } = engines.active.entry;
  const socket = address.startsWith('unix://') ? address.slice('unix://'.length) : '';
  const all = await vscode.commands.getCommands(true);
  if (!all.includes(CHANGED)) return;
  try {
    await vscode.commands.executeCommand(CHANGED, { socket });
  } catch (error) {
    log.debug(`the language server did not take the news of a build: ${messageOf(error)}`);
  }
}
