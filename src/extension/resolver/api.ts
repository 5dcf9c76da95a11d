/**
 * The part of VS Code's proposed API `resolvers` that we use, in our own words after
 * microsoft/vscode src/vscode-dts/vscode.proposed.resolvers.d.ts (as of 1.139; VS Code may change it). Shapes only.
 */
import type { Disposable } from 'vscode';

/** An event, as the editor calls it. */
export type Listen<T> = (
  listener: (value: T) => unknown,
  thisArgs?: unknown,
  disposables?: { dispose(): unknown }[],
) => { dispose(): void };

/** One connection of the editor to its server; the editor speaks WebSocket on it. */
export interface MessagePassing {
  readonly onDidReceiveMessage: Listen<Uint8Array>;
  readonly onDidClose: Listen<Error | undefined>;
  readonly onDidEnd: Listen<undefined>;
  send(data: Uint8Array): void;
  end(): void;
  drain(): Promise<void>;
}

export interface ManagedAuthority {
  readonly makeConnection: () => Thenable<MessagePassing>;
  readonly connectionToken: string | undefined;
}

export interface RemoteAddress {
  readonly port: number;
  readonly host: string;
}

export interface TunnelOptions {
  readonly remoteAddress: RemoteAddress;
  readonly localAddressPort?: number;
  readonly protocol?: string;
}

export interface Tunnel {
  readonly remoteAddress: RemoteAddress;
  readonly localAddress: RemoteAddress;
  readonly protocol?: string;
  readonly onDidDispose: Listen<undefined>;
  dispose(): void;
}

export interface AuthorityResolver {
  resolve(
    authority: string,
    context: { readonly resolveAttempt: number },
  ): Thenable<ManagedAuthority & { readonly isTrusted?: boolean }>;
  tunnelFactory(options: TunnelOptions): Thenable<Tunnel>;
}

/** What `vscode` has more where the proposal is enabled. */
export interface ProposedApi {
  readonly ManagedResolvedAuthority: new (
    makeConnection: () => Thenable<MessagePassing>,
    connectionToken?: string,
  ) => ManagedAuthority;
  readonly RemoteAuthorityResolverError: {
    NotAvailable(message?: string, handled?: boolean): Error;
    TemporarilyNotAvailable(message?: string): Error;
  };
  /** Reading it throws where the proposal is not enabled. */
  readonly env: { readonly remoteAuthority: string | undefined };
  readonly workspace: {
    registerRemoteAuthorityResolver(prefix: string, resolver: AuthorityResolver): Disposable;
  };
}
