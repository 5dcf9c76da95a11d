/** Starts the language server of this extension in a process of its own and speaks to it over IPC. */
import { workspace } from 'vscode';
import { LanguageClient, type StaticFeature, TransportKind } from 'vscode-languageclient/node';
import { LANGUAGE_SERVER_FLAGS } from '../../client/lint/server-flags.ts';
import type { Account } from '../registries/credentials.ts';

/** What tells the server that the user came to trust the workspace. */
export const TRUST = 'pinnace/trust';

/** With which the server asks for the user's login at a registry: the editor's, or docker's where the user allowed that. */
const REGISTRY_LOGIN = 'pinnace/registryLogin';

export interface LanguageClientOptions {
  readonly trusted: boolean;
  readonly engineSocket: string;
  readonly loginAt: (host: string) => Promise<Account | undefined>;
}

/** `server`: the path of the bundle. `engineSocket`: of the engine that the editor works with, '' where it has none. The client must be started and stopped by the caller. */
export function createLanguageClient(
  server: string,
  { trusted, engineSocket, loginAt }: LanguageClientOptions,
): LanguageClient {
  const execArgv = [...LANGUAGE_SERVER_FLAGS];
  const run = { module: server, transport: TransportKind.ipc, options: { execArgv } };
  const debug = {
    ...run,
    options: { execArgv: [...execArgv, '--nolazy', '--inspect=127.0.0.1:6009'] },
  };
  const client = new LanguageClient(
    'pinnace',
    'Pinnace Language Server',
    { run, debug },
    {
      documentSelector: [
        { language: 'dockerfile' },
        { language: 'dockerignore' },
        { pattern: '**/.hadolint.{yaml,yml}' },
      ],
      initializationOptions: {
        ...{ trusted, engineSocket, buildCommands: true },
        // Asked for again when it has begun; what it announces depends on them before that.
        settings: workspace.getConfiguration('pinnace').get('languageServer'),
      },
    },
  );
  client.registerFeature(KEEPS_LOGINS);
  client.onRequest(REGISTRY_LOGIN, async (asked: unknown) => {
    const host = typeof asked === 'object' && asked !== null && 'host' in asked ? asked.host : '';
    const account = typeof host === 'string' ? await loginAt(host) : undefined;
    if (account === undefined) return null;
    const { username, secret, identity = false } = account;
    return { username, secret, identity };
  });
  return client;
}

/** Tells the server that logins are to be asked for here and nowhere else. */
const KEEPS_LOGINS: StaticFeature = {
  fillClientCapabilities: (capabilities) => {
    capabilities.experimental = { registryLogins: true };
  },
  initialize: () => undefined,
  getState: () => ({ kind: 'static' }),
  clear: () => undefined,
};
