/** The proposed API `resolvers` in this editor: whether it is allowed, and what it says of the window. */
import * as vscode from 'vscode';
import type { ResolverState } from '../devcontainer/choice.ts';
import type { ProposedApi } from './api.ts';

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
