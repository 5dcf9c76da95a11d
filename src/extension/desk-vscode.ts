/** The real Desk: each of its abilities on the editor's own API, in the user's language. No logic of any command. */
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Desk, Memory, PickItem, Question, Step } from './commands/desk.ts';
import { localFolderOf } from './resolver/authority.ts';
import { openTerminal } from './terminal.ts';
import { say, sayFacts } from './words/say.ts';

type Given = Pick<Desk, 'cli' | 'engines' | 'live' | 'credentials' | 'startArguments' | 'show'>;

export function createDesk(context: vscode.ExtensionContext, given: Given): Desk {
  return {
    ...given,
    asset: (path) => join(context.extensionPath, path),
    workspaceMemory: memory(context.workspaceState),
    userMemory: memory(context.globalState),
    setting: (key) => vscode.workspace.getConfiguration('pinnace').get(key),
    setSetting: async (key, value) => {
      const { Global } = vscode.ConfigurationTarget;
      await vscode.workspace.getConfiguration('pinnace').update(key, value, Global);
    },
    folders,
    trusted: () => vscode.workspace.isTrusted,
    inform: async (message, ...actions) =>
      await withActions(actions, (titles) =>
        vscode.window.showInformationMessage(say(message), ...titles),
      ),
    complain: async (message, ...actions) =>
      await withActions(actions, (titles) =>
        vscode.window.showErrorMessage(say(message), ...titles),
      ),
    confirm,
    pick,
    pickMany,
    ask,
    chooseFile,
    chooseTarget,
    progress,
    terminal: openTerminal,
    copy: async (text) => {
      await vscode.env.clipboard.writeText(text);
    },
    openExternal: async (url) => {
      await vscode.env.openExternal(vscode.Uri.parse(url, true));
    },
    execute: async (id, ...args) => await vscode.commands.executeCommand(id, ...args),
  };
}

function memory(state: vscode.Memento): Memory {
  return {
    get: (key) => state.get<unknown>(key),
    set: async (key, value) => {
      await state.update(key, value);
    },
  };
}

function folders(): { name: string; path: string }[] {
  const open = vscode.workspace.workspaceFolders ?? [];
  return open.flatMap(({ name, uri }) => {
    const path = uri.scheme === 'file' ? uri.fsPath : localFolderOf(uri);
    return path === undefined ? [] : [{ name, path }];
  });
}

/** Buttons are shown in the user's language and answered in ours. */
async function withActions(
  actions: readonly string[],
  show: (titles: readonly string[]) => Thenable<string | undefined>,
): Promise<string | undefined> {
  const titles = actions.map(say);
  const chosen = await show(titles);
  return chosen === undefined ? undefined : actions[titles.indexOf(chosen)];
}

async function confirm(question: {
  readonly message: string;
  readonly detail?: string;
  readonly action: string;
}): Promise<boolean> {
  const { message, detail } = question;
  const action = say(question.action);
  const options = { modal: true, ...(detail === undefined ? {} : { detail: say(detail) }) };
  return (await vscode.window.showWarningMessage(say(message), options, action)) === action;
}

type Row<T> = vscode.QuickPickItem & { readonly value: T };

function rows<T>(items: readonly PickItem<T>[]): Row<T>[] {
  return items.map(({ label, description, detail, ...rest }) => ({
    ...rest,
    label: say(label),
    ...(description === undefined ? {} : { description: sayFacts(description) }),
    ...(detail === undefined ? {} : { detail: sayFacts(detail) }),
  }));
}

async function pick<T>(title: string, items: readonly PickItem<T>[]): Promise<T | undefined> {
  const options = { title: say(title), matchOnDescription: true, matchOnDetail: true };
  return (await vscode.window.showQuickPick(rows(items), options))?.value;
}

async function pickMany<T>(
  title: string,
  items: readonly PickItem<T>[],
): Promise<readonly T[] | undefined> {
  const options = {
    title: say(title),
    matchOnDescription: true,
    matchOnDetail: true,
    canPickMany: true,
  } as const;
  return (await vscode.window.showQuickPick(rows(items), options))?.map(({ value }) => value);
}

async function ask(question: Question): Promise<string | undefined> {
  const { title, prompt, placeholder, value, secret, check } = question;
  return vscode.window.showInputBox({
    title: say(title),
    ignoreFocusOut: true,
    ...(prompt === undefined ? {} : { prompt: say(prompt) }),
    ...(placeholder === undefined ? {} : { placeHolder: say(placeholder) }),
    ...(value === undefined ? {} : { value }),
    ...(secret === undefined ? {} : { password: secret }),
    ...(check === undefined ? {} : { validateInput: (text: string) => complaint(check(text)) }),
  });
}

function complaint(text: string | undefined): string | null {
  return text === undefined ? null : say(text);
}

async function chooseFile(options: {
  readonly title: string;
  readonly folder: boolean;
}): Promise<string | undefined> {
  const chosen = await vscode.window.showOpenDialog({
    title: say(options.title),
    canSelectFiles: !options.folder,
    canSelectFolders: options.folder,
  });
  return chosen?.[0]?.fsPath;
}

async function chooseTarget(options: {
  readonly title: string;
  readonly name: string;
}): Promise<string | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const defaultUri =
    folder === undefined
      ? vscode.Uri.file(options.name)
      : vscode.Uri.joinPath(folder, options.name);
  return (await vscode.window.showSaveDialog({ title: say(options.title), defaultUri }))?.fsPath;
}

async function progress<T>(
  title: string,
  work: (signal: AbortSignal, report: (step: Step) => void) => Promise<T>,
): Promise<T> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: say(title),
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (shown, token) => {
    const abort = new AbortController();
    token.onCancellationRequested(() => abort.abort());
    return work(abort.signal, ({ message, ...rest }) => {
      shown.report({ ...rest, ...(message === undefined ? {} : { message: say(message) }) });
    });
  });
}
