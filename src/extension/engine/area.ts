/** Plugs the engines' tree, the doctor's page and the log into the editor, and shows the doctor by itself once where the engine cannot run. */
import * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import { engineTree } from '../views/engines.ts';
import type { EngineNode } from '../views/nodes.ts';
import { showTree } from '../views/tree.ts';
import { settingEngines } from './entries.ts';
import { createDoctorPage, DOCTOR_VIEW } from './doctor-page.ts';

const SHOWN = 'doctor.shown';

export function plugEngines(parts: Parts): void {
  const { context, desk, engines, log } = parts;
  const own = (id: string): boolean =>
    settingEngines(desk.setting('engines')).some(({ entry }) => entry.id === id);
  const model = engineTree(engines, own);
  const tree = showTree({ id: 'pinnace.engines', model });
  const page = createDoctorPage(parts);
  const look = (): void => {
    // Engines that are not in use are only asked while somebody sees them.
    if (tree.view.visible) void engines.refresh();
  };
  context.subscriptions.push(
    model,
    tree,
    tree.view.onDidChangeVisibility(look),
    parts.selection('pinnace.engines', () => tree.view.selection as readonly EngineNode[]),
    vscode.commands.registerCommand('pinnace.page.doctor', () => page.open(undefined)),
    vscode.commands.registerCommand('pinnace.page.log', () => log.show()),
    vscode.window.registerWebviewPanelSerializer(DOCTOR_VIEW, {
      deserializeWebviewPanel: (panel) => {
        page.restore(panel, undefined);
        return Promise.resolve();
      },
    }),
    engines.onDidChange(() => {
      const { state } = engines.active;
      if (state.kind === 'ready' && desk.userMemory.get(SHOWN) === true)
        void desk.userMemory.set(SHOWN, false);
      if (state.kind !== 'failed' || !state.doctor || desk.userMemory.get(SHOWN) === true) return;
      void desk.userMemory.set(SHOWN, true);
      page.open(undefined);
    }),
  );
  look();
}
