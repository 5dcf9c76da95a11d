/** Read-only documents made by commands, behind a scheme of their own so that nothing is written to disk. */
import * as vscode from 'vscode';

const SCHEME = 'pinnace-report';

export interface Report {
  readonly name: string;
  readonly text: string;
  readonly language?: string;
}

export interface Reports {
  dispose(): void;
  show(document: Report): Promise<void>;
}

export function createReports(): Reports {
  const texts = new Map<string, string>();
  const changed = new vscode.EventEmitter<vscode.Uri>();
  const provider = vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    onDidChange: changed.event,
    provideTextDocumentContent: (uri) => texts.get(uri.path) ?? '',
  });
  const closed = vscode.workspace.onDidCloseTextDocument(({ uri }) => {
    if (uri.scheme === SCHEME) texts.delete(uri.path);
  });
  return {
    show: async ({ name, text, language }) => {
      // A slash would make folders of a name such as registry/app:1; the editor's tab shows what follows the last one.
      const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${name.replaceAll('/', '∕')}` });
      texts.set(uri.path, text);
      changed.fire(uri);
      let document = await vscode.workspace.openTextDocument(uri);
      if (language !== undefined && document.languageId !== language)
        document = await vscode.languages.setTextDocumentLanguage(document, language);
      await vscode.window.showTextDocument(document, { preview: true });
    },
    dispose: () => {
      provider.dispose();
      closed.dispose();
      changed.dispose();
    },
  };
}
