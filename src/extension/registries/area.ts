/** Plugs the registries into the editor: the service on the secret store, and their view. */
import * as vscode from 'vscode';
import type { Parts } from '../parts.ts';
import { RegistriesModel } from '../views/registries.ts';
import { showTree } from '../views/tree.ts';
import type { Node } from '../views/nodes.ts';
import { Registries } from './registries.ts';

export function plugRegistries(parts: Parts): void {
  const { context, desk } = parts;
  const registries = new Registries({
    memory: desk.userMemory,
    secrets: context.secrets,
    env: process.env,
  });
  parts.provideCredentials(registries);
  const model = new RegistriesModel(registries);
  const id = 'pinnace.registries';
  // The adapter hands a model nothing but what the model gave.
  const tree = showTree({ id, model });
  context.subscriptions.push(
    new vscode.Disposable(() => tree.dispose()),
    context.secrets.onDidChange(({ key }) => void registries.secretChanged(key)),
    parts.selection(id, () => tree.view.selection as readonly Node[]),
  );
}
