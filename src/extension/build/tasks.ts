/** Tasks of the type `pinnace-build`, shown as `pinnace: build FILE`: one for each Dockerfile of the window and those of tasks.json, run in a terminal of ours. */
import { basename, isAbsolute, join, relative } from 'node:path';
import * as vscode from 'vscode';
import { buildPlace } from '../../client/build/place.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Builds } from './builds.ts';
import { type BadTask, type BuildRequest, readTask } from './request.ts';
import { endingText, headingText, summaryText, terminalText } from './terminal.ts';

const TASK_TYPE = 'pinnace-build';

/** Above this many Dockerfiles the list of tasks helps nobody. */
const LIMIT = 50;

export interface TaskParts {
  readonly builds: Builds;
  readonly trusted: () => boolean;
}

export function registerBuildTasks(parts: TaskParts): vscode.Disposable {
  return vscode.tasks.registerTaskProvider(TASK_TYPE, {
    provideTasks: async (token) => {
      if (!parts.trusted()) return [];
      const pattern = '**/{Dockerfile,Containerfile,*.Dockerfile,*.dockerfile}';
      const found = await vscode.workspace.findFiles(pattern, '**/node_modules/**', LIMIT, token);
      return found.flatMap((uri) => {
        const folder = vscode.workspace.getWorkspaceFolder(uri);
        if (folder?.uri.scheme !== 'file') return [];
        const dockerfile = relative(folder.uri.fsPath, uri.fsPath);
        return [taskOf({ type: TASK_TYPE, dockerfile }, folder, parts)];
      });
    },
    resolveTask: (task) => {
      const scope = task.scope;
      const folder = typeof scope === 'object' ? scope : vscode.workspace.workspaceFolders?.[0];
      return taskOf(task.definition, folder, parts, task.name);
    },
  });
}

function taskOf(
  definition: vscode.TaskDefinition,
  folder: vscode.WorkspaceFolder | undefined,
  parts: TaskParts,
  name?: string,
): vscode.Task {
  const file: unknown = definition['dockerfile'];
  const label = name ?? `build ${typeof file === 'string' ? file : 'Dockerfile'}`;
  const execution = new vscode.CustomExecution((resolved) => {
    const request = requestOf(resolved, folder?.uri.fsPath);
    return Promise.resolve(new BuildTerminal(request, parts));
  });
  const task = new vscode.Task(
    definition,
    folder ?? vscode.TaskScope.Workspace,
    label,
    'pinnace',
    execution,
    // The failing step's diagnostic is made by us, with the output's last lines: a matcher would say it twice.
    [],
  );
  task.group = vscode.TaskGroup.Build;
  task.presentationOptions = { clear: true };
  return task;
}

function requestOf(
  definition: vscode.TaskDefinition,
  folder: string | undefined,
): BuildRequest | BadTask {
  const resolve = (path: string): string => {
    const text = path.replaceAll('${workspaceFolder}', folder ?? '');
    return isAbsolute(text) ? text : join(folder ?? process.cwd(), text);
  };
  return readTask(definition, resolve, (dockerfile) => {
    const place = buildPlace(dockerfile, folder === undefined ? {} : { ceiling: folder });
    return { context: place.context, target: place.target ?? '', args: place.args };
  });
}

/** Shows one build; closing it, or Ctrl-C in it, cancels the build. */
class BuildTerminal implements vscode.Pseudoterminal {
  private readonly written = new vscode.EventEmitter<string>();
  private readonly closed = new vscode.EventEmitter<number>();
  private readonly stop = new AbortController();
  readonly onDidWrite = this.written.event;
  readonly onDidClose = this.closed.event;
  private readonly request: BuildRequest | BadTask;
  private readonly parts: TaskParts;

  constructor(request: BuildRequest | BadTask, parts: TaskParts) {
    this.request = request;
    this.parts = parts;
  }

  open(): void {
    this.run().then(
      (status) => this.closed.fire(status),
      (error: unknown) => {
        this.written.fire(`\u001b[31m${terminalText(messageOf(error))}\u001b[39m\r\n`);
        this.closed.fire(1);
      },
    );
  }

  close(): void {
    this.stop.abort();
  }

  handleInput(data: string): void {
    if (data.includes('\u0003')) this.stop.abort();
  }

  private async run(): Promise<number> {
    const { request, parts } = this;
    if ('problem' in request) throw new Error(request.problem);
    if (!parts.trusted())
      throw new Error(vscode.l10n.t('Building waits until you trust this workspace.'));
    const from = basename(request.context) || request.context;
    this.written.fire(
      `\u001b[2m${vscode.l10n.t('Building {0} (context {1})', request.dockerfile, from)}\u001b[22m\r\n`,
    );
    let shown = -1;
    let own: string | undefined;
    const heard = parts.builds.onNews(({ key, build, changes }) => {
      // The first news come before `start` has given the key.
      if (own === undefined && build.request === request) own = key;
      if (key !== own) return;
      const { stepList, steps, status } = build.record;
      for (const { step = -1, text } of changes) {
        if (step > shown) {
          const ended = stepList[shown];
          if (ended !== undefined) this.written.fire(endingText(ended));
          const begun = stepList[step];
          if (begun !== undefined) this.written.fire(headingText(begun, steps));
          shown = step;
        }
        if (text !== '') this.written.fire(terminalText(text));
      }
      const last = stepList[shown];
      if (status !== 'running' && changes.length > 0 && last !== undefined)
        this.written.fire(endingText(last));
    });
    try {
      const { abort, done } = await parts.builds.start(request, this.stop.signal);
      this.stop.signal.addEventListener('abort', () => abort.abort());
      if (this.stop.signal.aborted) abort.abort();
      const { record } = await done;
      this.written.fire(summaryText(record));
      return record.status === 'succeeded' ? 0 : 1;
    } finally {
      heard.dispose();
    }
  }
}
