/**
 * Tells the editor's walkthrough what has been done, however it was done. A step ticks when a context key becomes true; one
 * that is true already when the editor first hears of the step never ticks (VS Code 1.139, welcomeGettingStarted). So the
 * keys are true for a moment only: when the thing is done, and again when a page opens that may be the walkthrough.
 */
import * as vscode from 'vscode';

/** The steps of package.json's walkthrough that tick by themselves: `onContext:pinnace.did.engine`. */
export type FirstStep = 'engine' | 'build' | 'explore';

export interface FirstSteps {
  did(step: FirstStep): void;
  dispose(): void;
}

/** The editor learns of the steps a moment after their page has opened, in milliseconds. */
const LATER = 1000;

export function createFirstSteps(): FirstSteps {
  const done = new Set<FirstStep>();
  let timer: NodeJS.Timeout | undefined;
  const tellAll = (): void => {
    for (const step of done) void tell(step);
  };
  const heard = vscode.window.tabGroups.onDidChangeTabs(({ opened }) => {
    // Pages of the editor's own have no input that extensions know.
    if (done.size === 0 || !opened.some(({ input }) => input === undefined)) return;
    tellAll();
    clearTimeout(timer);
    timer = setTimeout(tellAll, LATER);
  });
  return {
    did: (step) => {
      if (done.has(step)) return;
      done.add(step);
      void tell(step);
    },
    dispose: () => {
      clearTimeout(timer);
      heard.dispose();
    },
  };
}

async function tell(step: FirstStep): Promise<void> {
  const key = `pinnace.did.${step}`;
  await vscode.commands.executeCommand('setContext', key, true);
  await vscode.commands.executeCommand('setContext', key, false);
}
