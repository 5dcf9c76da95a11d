/** Asks the editor to be asked where windows in containers lead, where this package and the editor have the proposed API. Loaded at activation: it loads nothing more by itself. */
import * as vscode from 'vscode';
import { messageOf } from '../../lib/errors.ts';
import type { ResolverState } from '../devcontainer/choice.ts';
import type { Parts } from '../parts.ts';
import type { AuthorityResolver, ProposedApi } from './api.ts';

const PREFIX = 'pinnace';

export function proposedApi(): ProposedApi {
  return vscode as unknown as ProposedApi;
}

/** What this window can do. */
export function resolverState(context: vscode.ExtensionContext): ResolverState {
  const { enabledApiProposals } = context.extension.packageJSON as {
    readonly enabledApiProposals?: readonly string[];
  };
  if (enabledApiProposals?.includes('resolvers') !== true) return 'absent';
  if (vscode.env.uiKind === vscode.UIKind.Web) return 'web';
  if (context.extension.extensionKind === vscode.ExtensionKind.Workspace) return 'remote';
  return remoteAuthority() === 'refused' ? 'refused' : 'ready';
}

/** Of this window, `pinnace+…` or another; `refused` where we may not know it. */
export function remoteAuthority(): string | undefined {
  try {
    return proposedApi().env.remoteAuthority;
  } catch {
    return 'refused';
  }
}

/** At once, within the activation: the editor looks for the resolver as soon as it is over. `plugged`: when the areas stand. */
export function registerResolver(parts: Parts, plugged: Promise<unknown>): void {
  const state = resolverState(parts.context);
  if (state === 'refused') parts.log.info('the editor does not allow the proposed API "resolvers"');
  if (state !== 'ready') return;
  let made: Promise<AuthorityResolver> | undefined;
  const resolver = (): Promise<AuthorityResolver> =>
    (made ??= plugged
      .then(() => import('./plug.ts'))
      .then(({ createAuthorityResolver }) => createAuthorityResolver(parts)));
  try {
    const registration = proposedApi().workspace.registerRemoteAuthorityResolver(PREFIX, {
      resolve: async (authority, attempt) => (await resolver()).resolve(authority, attempt),
      tunnelFactory: async (options) => (await resolver()).tunnelFactory(options),
    });
    parts.context.subscriptions.push(registration);
  } catch (error) {
    parts.log.error(`windows in containers cannot be opened: ${messageOf(error)}`);
  }
}
