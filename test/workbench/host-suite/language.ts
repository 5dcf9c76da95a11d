/** The language server through the editor's own API: what other extensions get of it. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Suite } from './index.ts';

const TEXT = 'FROM busybox AS base\nRUN echo $HOME\n\nFROM base\nCMD echo hi\n';

/** Asks until the answer has come; the server may just be starting. */
async function until<T>(ask: () => Thenable<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && (!Array.isArray(answer) || answer.length > 0)) return answer;
    if (Date.now() > deadline) throw new Error('no answer within 30 s');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function open(): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument({
    language: 'dockerfile',
    content: TEXT,
  });
  await vscode.window.showTextDocument(document);
  return document;
}

export function language({ test }: Suite): void {
  test('symbols, hover and definitions answer through the editor', async () => {
    const { uri } = await open();
    const symbols = await until(() =>
      vscode.commands.executeCommand<vscode.DocumentSymbol[]>(
        'vscode.executeDocumentSymbolProvider',
        uri,
      ),
    );
    assert.ok(symbols.length >= 2);
    const hovers = await until(() =>
      vscode.commands.executeCommand<vscode.Hover[]>(
        'vscode.executeHoverProvider',
        uri,
        new vscode.Position(1, 1),
      ),
    );
    assert.ok(hovers.length > 0);
    const places = await until(() =>
      vscode.commands.executeCommand<(vscode.Location | vscode.LocationLink)[]>(
        'vscode.executeDefinitionProvider',
        uri,
        new vscode.Position(3, 6),
      ),
    );
    const [place] = places;
    assert.ok(place);
    const range = 'targetRange' in place ? place.targetRange : place.range;
    assert.equal(range.start.line, 0);
  });

  test('problems arrive as diagnostics', async () => {
    const { uri } = await open();
    const found = await until(() => Promise.resolve(vscode.languages.getDiagnostics(uri)));
    assert.ok(found.every(({ source }) => source !== undefined && source !== ''));
  });
}
