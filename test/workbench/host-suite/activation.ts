/** What the editor knows of the extension: its identity, activation and commands. */
import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { Suite } from './index.ts';

const EXTENSION = 'pinnace.pinnace';

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[] };
}

export function activation({ test }: Suite): void {
  test('the extension activates', async () => {
    const extension = vscode.extensions.getExtension(EXTENSION);
    assert.ok(extension, `${EXTENSION} is not installed`);
    const started = performance.now();
    await extension.activate();
    console.log(`activate() took ${(performance.now() - started).toFixed(1)} ms`);
    assert.equal(extension.isActive, true);
  });

  test('every command of the manifest is registered, once it is active', async () => {
    const extension = vscode.extensions.getExtension<undefined>(EXTENSION);
    const manifest = extension?.packageJSON as Manifest;
    const known = new Set(await vscode.commands.getCommands(true));
    const missing = manifest.contributes.commands
      .map(({ command }) => command)
      .filter((command) => !known.has(command));
    assert.deepEqual(missing, []);
  });
}
