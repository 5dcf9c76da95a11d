/** Plugs dev containers into the editor: the Host, the view, the offer to reopen, the news of ports. Decides nothing itself. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import * as vscode from 'vscode';
import { messageOf } from '../../lib/errors.ts';
import type { Parts } from '../parts.ts';
import { createForwards } from '../ports/forward.ts';
import { settingsEnvironment } from '../engine/settings.ts';
import { DevContainersModel } from '../views/devcontainers.ts';
import type { Node } from '../views/nodes.ts';
import { showTree } from '../views/tree.ts';
import { AUTHORITY_PREFIX } from '../resolver/authority.ts';
import { remoteAuthority, resolverState } from '../resolver/proposal.ts';
import { type Host, HOST_COMMAND } from './host.ts';
import { OpenPorts, type PortSite } from './open-ports.ts';

const VIEW = 'pinnace.devcontainers';
/** The editor's own browser, in a tab; a builtin extension's. */
const PREVIEW = 'simpleBrowser.show';
/** Key of the folder's memory: the offer was declined for good. */
const DECLINED = 'devcontainer.offer.declined';

export function plugDevContainers(parts: Parts): void {
  const { context, live } = parts;
  const ports = new OpenPorts(portSite(parts));
  const log = createLog(context);
  context.subscriptions.push(
    ports,
    vscode.commands.registerCommand(HOST_COMMAND, () => createHost(context, log, ports)),
  );
  const model = new DevContainersModel(live);
  const tree = showTree({ id: VIEW, model });
  context.subscriptions.push(
    tree,
    model,
    parts.selection(VIEW, () => tree.view.selection as readonly Node[]),
  );
  void offer(parts).catch((error: unknown) => parts.log.error(messageOf(error)));
}

function createLog(context: vscode.ExtensionContext): Host['log'] {
  let channel: vscode.OutputChannel | undefined;
  const made = (): vscode.OutputChannel => {
    if (channel === undefined) {
      channel = vscode.window.createOutputChannel('Pinnace Container');
      context.subscriptions.push(channel);
    }
    return channel;
  };
  return {
    line: (text) => made().appendLine(`${new Date().toISOString().slice(11, 19)} ${text}`),
    writable: new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        made().append(chunk.toString());
        done();
      },
    }),
    show: () => made().show(),
  };
}

function createHost(context: vscode.ExtensionContext, log: Host['log'], ports: OpenPorts): Host {
  const setting = (key: string): unknown => vscode.workspace.getConfiguration('pinnace').get(key);
  return {
    appRoot: vscode.env.appRoot,
    node: process.execPath,
    remoteName: vscode.env.remoteName,
    resolver: resolverState(context),
    remoteAuthority,
    proxy: () => vscode.workspace.getConfiguration('http').get<string>('proxy') ?? '',
    log,
    userFiles: () => userFiles(context),
    environment: () => {
      const env = { ...process.env, ...settingsEnvironment(setting) };
      delete env['NODE_OPTIONS'];
      return env;
    },
    hasExtension: (id) => vscode.extensions.getExtension(id) !== undefined,
    openSsh: async (host, folder, { newWindow }) => {
      const uri = vscode.Uri.from({
        scheme: 'vscode-remote',
        authority: `ssh-remote+pinnace.${host}`,
        path: folder,
      });
      await vscode.commands.executeCommand('vscode.openFolder', uri, { forceNewWindow: newWindow });
    },
    openRemote: async (authority, folder, { newWindow }) => {
      if (!newWindow && remoteAuthority() === authority) {
        await vscode.commands.executeCommand('workbench.action.reloadWindow');
        return;
      }
      const uri = vscode.Uri.from({ scheme: 'vscode-remote', authority, path: folder });
      const options = newWindow ? { forceNewWindow: true } : { forceReuseWindow: true };
      await vscode.commands.executeCommand('vscode.openFolder', uri, options);
    },
    openLocal: async (folder) => {
      await vscode.commands.executeCommand('vscode.openFolder', vscode.Uri.file(folder), {
        forceNewWindow: false,
        // In a window inside a container a path would be one of the container.
        ...(vscode.env.remoteName === AUTHORITY_PREFIX ? { forceLocalWindow: true } : {}),
      });
    },
    openFile: async (path, line = 1) => {
      const at = new vscode.Position(line - 1, 0);
      const selection = new vscode.Range(at, at);
      await vscode.window.showTextDocument(vscode.Uri.file(path), { selection });
    },
    watchPorts: (opened) => ports.watch(opened),
    unwatchPorts: (container) => ports.unwatch(container),
  };
}

/** They lie beside the extensions' own storage: User/settings.json, User/globalStorage/ID. */
function userFiles(context: vscode.ExtensionContext): { settings?: string; keybindings?: string } {
  const user = join(context.globalStorageUri.fsPath, '..', '..');
  const files: { settings?: string; keybindings?: string } = {};
  for (const name of ['settings', 'keybindings'] as const) {
    try {
      files[name] = readFileSync(join(user, `${name}.json`), 'utf8');
    } catch {
      // The user has none, or the editor keeps them where no extension reads.
    }
  }
  return files;
}

/** Once for each folder of the window that has a configuration, when the workspace is or becomes trusted. */
async function offer({ context, desk }: Parts): Promise<void> {
  if (!vscode.workspace.isTrusted) {
    await new Promise<void>((resolve) => {
      context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(() => resolve()));
    });
  }
  const inside = existsSync('/.pinnace/ready') || vscode.env.remoteName === AUTHORITY_PREFIX;
  if (desk.setting('devcontainer.offer') === false || inside) return;
  if (desk.workspaceMemory.get(DECLINED) === true) return;
  const folder = desk
    .folders()
    .find(({ path }) =>
      ['.devcontainer/devcontainer.json', '.devcontainer.json'].some((file) =>
        existsSync(join(path, file)),
      ),
    );
  if (folder === undefined) return;
  const reopen = vscode.l10n.t('Reopen in Container');
  const never = vscode.l10n.t("Don't Show Again");
  const message = vscode.l10n.t(
    '{0} has a dev container configuration. Reopen it in its container?',
    folder.name,
  );
  const chosen = await vscode.window.showInformationMessage(message, reopen, never);
  if (chosen === reopen)
    await vscode.commands.executeCommand('pinnace.devcontainer.reopen', folder.path);
  if (chosen === never) await desk.workspaceMemory.set(DECLINED, true);
}

/** Where the ports of containers are told and shown. */
function portSite({ engines }: Parts): PortSite {
  const forwards = createForwards({
    dial: (container, port) => engines.active.client.containers.dial(container, port),
  });
  return {
    forwards,
    listening: (container) => engines.active.client.containers.listeningPorts(container),
    tell: async ({ port, label, of, local }) => {
      const open = vscode.l10n.t('Open in Browser');
      const name = label === undefined ? '' : ` (${label})`;
      const message =
        local === undefined
          ? vscode.l10n.t('Port {0}{1} of {2} is listening.', port, name, of)
          : vscode.l10n.t(
              'Port {0}{1} of {2} is forwarded to localhost:{3}.',
              port,
              name,
              of,
              local,
            );
      return (await vscode.window.showInformationMessage(message, open)) === open;
    },
    show: async (address, place) => {
      const uri = vscode.Uri.parse(address);
      const here = place === 'preview' ? await vscode.commands.getCommands() : [];
      if (!here.includes(PREVIEW)) {
        await vscode.env.openExternal(uri);
        return;
      }
      // In a window far from this machine the address is another one.
      const reached = await vscode.env.asExternalUri(uri);
      await vscode.commands.executeCommand(PREVIEW, reached.toString());
    },
    complain: (error) => void vscode.window.showErrorMessage(messageOf(error)),
  };
}
