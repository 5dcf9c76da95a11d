/** Read-only documents made by commands, behind a scheme of their own so that nothing is written to disk. */
import * as vscode from 'vscode';

const SCHEME = 'pinnace-report';

export interface Reports {
  dispose(): void;
  show(document: { readonly name: string; readonly text: string }): Promise<void>;
}

export function createReports(): Reports {
  const texts = new Map<string, string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const provider = vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    onDidChange: changed.event,
    provideTextDocumentContent: (uri) => texts.get(uri.path) ?? '',
  });
  return {
    show: async ({ name, text }) => {
      const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name}` });
      texts.set(uri.path, text);
      changed.fire(uri);
      await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(uri), {
        preview: true,
      });
    },
    dispose: () => {
      provider.dispose();
      changed.dispose();
    },
  };
}
