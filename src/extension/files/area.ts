/** Plugs files into the editor: the file system, the rows below containers, images and volumes, and what is dropped on them. */
import * as vscode from 'vscode';
import type { Client } from '../../client/api/client.ts';
import { standInsOf } from '../../client/files/stand-ins.ts';
import { messageOf } from '../../lib/errors.ts';
import { CHANGED, COMPARE, MOUNT, SHOW } from '../commands/files/targets.ts';
import type { Engines } from '../engine/engines.ts';
import type { Parts } from '../parts.ts';
import type { Node } from '../views/nodes.ts';
import type { Branch } from '../views/row.ts';
import type { Drop } from '../views/tree.ts';
import { type FileAddress, parseAddressText, SCHEME } from './address.ts';
import { addressOfNode, FilesBranch } from './branch.ts';
import { FilesProvider, uriOf } from './provider.ts';
import { type FileChange, FileStore } from './store.ts';

/** A change that commands tell of, or a place that is to be looked at again. */
interface Told {
  readonly address: FileAddress;
  readonly what: FileChange['what'] | 'looked';
}

export interface FilesGraft {
  readonly branches: readonly Branch[];
  readonly drops: readonly Drop[];
}

/** Gives what the trees hang beneath their rows. */
export function plugFiles({ context, desk, engines, log }: Parts): FilesGraft {
  const store = new FileStore(engines, { program: desk.asset('out/native/busybox') });
  const provider = new FilesProvider(store);
  const branch = new FilesBranch(store);
  const command = (id: string, run: (...args: never[]) => unknown): vscode.Disposable =>
    vscode.commands.registerCommand(id, run);
  context.subscriptions.push(
    provider,
    sweeping(engines, (message) => log.debug(message)),
    vscode.workspace.registerFileSystemProvider(SCHEME, provider, { isCaseSensitive: true }),
    command(SHOW, (uri: string) =>
      vscode.commands.executeCommand('vscode.open', uriOf(parseAddressText(uri))),
    ),
    command(COMPARE, (left: string, right: string, title: string) =>
      vscode.commands.executeCommand(
        'vscode.diff',
        uriOf(parseAddressText(left)),
        uriOf(parseAddressText(right)),
        title,
      ),
    ),
    command(MOUNT, (uri: string, name: string) => mount(parseAddressText(uri), name)),
    command('pinnace.files.page', (uri: string) => branch.more(uri)),
    command(CHANGED, (told: readonly Told[]) => {
      for (const { address, what } of told) {
        if (what === 'looked') branch.refresh(address, { with: 'itself' });
        else store.tell([{ address, what }]);
      }
    }),
  );
  return { branches: [branch], drops: [uploadDrop(), bringDrop()] };
}

/** Takes away what editors that were killed left in other engines, when one is first seen; and our own at the end. */
function sweeping(engines: Engines, tell: (message: string) => void): vscode.Disposable {
  const swept = new Set<Client>();
  const look = (): void => {
    const engine = engines.active;
    if (engine.state.kind !== 'ready' || engine.has('pinnace') || swept.has(engine.client)) return;
    swept.add(engine.client);
    standInsOf(engine.client)
      .sweep()
      .catch((error: unknown) => tell(`left containers: ${messageOf(error)}`));
  };
  const heard = engines.onDidChange(look);
  look();
  return new vscode.Disposable(() => {
    heard.dispose();
    for (const client of swept) void standInsOf(client).releaseIdle();
  });
}

/** Adds the folder behind those that are open. In a window without a folder the editor starts its extensions anew. */
function mount(address: FileAddress, name: string): void {
  const uri = uriOf(address);
  const open = vscode.workspace.workspaceFolders ?? [];
  const isOpen = open.some((folder) => folder.uri.toString() === uri.toString());
  if (!isOpen) vscode.workspace.updateWorkspaceFolders(open.length, 0, { uri, name });
  void vscode.commands.executeCommand('workbench.view.explorer');
}

/** Files and folders of the disk that are dropped on a row are uploaded there. */
function uploadDrop(): Drop {
  return {
    mime: 'text/uri-list',
    accepts: (target) => isPlace(target),
    drop: async (target, [item]) => {
      const text = await item.asString();
      const uris = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
      const paths = uris
        .map((line) => vscode.Uri.parse(line, true))
        .filter(({ scheme }) => scheme === 'file' || scheme === 'vscode-remote')
        .map((uri) => uri.with({ scheme: 'file', authority: '' }).fsPath);
      if (paths.length > 0)
        await vscode.commands.executeCommand('pinnace.file.upload', { target, paths });
    },
  };
}

/** The same with files of the machine that the browser runs on: they have no path here, only a name and a content. */
function bringDrop(): Drop {
  return {
    mime: 'files',
    accepts: (target) => isPlace(target),
    drop: async (target, items) => {
      const files = items
        .map((item) => item.asFile())
        .filter((file) => file !== undefined)
        .map((file) => ({ name: file.name, read: () => Promise.resolve(file.data()) }));
      await vscode.commands.executeCommand('pinnace.file.upload', { target, files });
    },
  };
}

function isPlace(target: object | undefined): boolean {
  if (target === undefined || !('kind' in target)) return false;
  const node = target as Node;
  if (node.kind === 'file') return node.of !== 'image';
  return node.kind !== 'image' && addressOfNode(node) !== undefined;
}
