/** The resolver with the editor's own parts: engine, settings, errors in the editor's classes, and what runs once the window is trusted. Decides nothing itself. */
import * as vscode from 'vscode';
import { readProduct } from '../../client/vscode-server/product.ts';
import { EngineError, kindOf, messageOf } from '../../lib/errors.ts';
import { hostOf } from '../devcontainer/host.ts';
import { runAttached } from '../devcontainer/open.ts';
import { kitOf } from '../devcontainer/ways.ts';
import type { Engine } from '../engine/engines.ts';
import type { Parts } from '../parts.ts';
import type { AuthorityResolver } from './api.ts';
import { proposedApi } from './proposal.ts';
import { Resolver } from './resolver.ts';

export async function createAuthorityResolver(parts: Parts): Promise<AuthorityResolver> {
  const { desk, log } = parts;
  const host = await hostOf(desk);
  const say = (line: string): void => host.log.line(line);
  const resolver = new Resolver({
    engine: (id, signal) => engineOf(parts, id, signal),
    kit: (signal, tell) => kitOf({ desk, host }, 'resolver', { signal, say: tell }),
    commit: readProduct(host.appRoot).commit,
    env: () => host.environment(),
    say,
  });
  parts.context.subscriptions.push(resolver);
  let attached = false;
  return {
    resolve: (authority) =>
      named(
        vscode.window.withProgress(
          { location: vscode.ProgressLocation.Notification, title: 'Pinnace', cancellable: true },
          async (progress, cancel) => {
            progress.report({ message: vscode.l10n.t('Opening in the container') });
            const abort = new AbortController();
            cancel.onCancellationRequested(() => abort.abort());
            const { makeConnection, token, opened } = await resolver.resolve(
              authority,
              abort.signal,
            );
            if (!attached) {
              attached = true;
              void whenTrusted(parts)
                .then(() => runAttached(desk, host, opened.containerId))
                .catch((error: unknown) => log.error(messageOf(error)));
            }
            return new (proposedApi().ManagedResolvedAuthority)(makeConnection, token);
          },
        ),
        say,
      ),
    tunnelFactory: (options) => resolver.tunnel(options),
  };
}

/** The engine that the window's name tells, which need not be the active one. */
async function engineOf({ engines }: Parts, id: string, signal: AbortSignal): Promise<Engine> {
  if (engines.active.entry.id !== id) {
    await engines.find();
    await engines.choose(id);
  }
  return engines.ready(signal);
}

function whenTrusted({ context }: Parts): Promise<void> {
  if (vscode.workspace.isTrusted) return Promise.resolve();
  return new Promise((resolve) => {
    context.subscriptions.push(vscode.workspace.onDidGrantWorkspaceTrust(() => resolve()));
  });
}

/** The editor offers to try again what is temporary only. */
async function named<T>(work: Thenable<T>, say: (line: string) => void): Promise<T> {
  try {
    return await work;
  } catch (error) {
    say(`failed: ${messageOf(error)}`);
    const { RemoteAuthorityResolverError } = proposedApi();
    const kind = error instanceof EngineError ? kindOf(error) : 'internal';
    throw kind === 'unavailable'
      ? RemoteAuthorityResolverError.TemporarilyNotAvailable(messageOf(error))
      : RemoteAuthorityResolverError.NotAvailable(messageOf(error));
  }
}
