/** Starts the language server of this extension in a process of its own and speaks to it over IPC. */
import { LanguageClient, TransportKind } from 'vscode-languageclient/node';

/** What tells the server that the user came to trust the workspace. */
export const TRUST = 'pinnace/trust';

/** `server`: the path of the bundle. `engineSocket`: of the engine that the editor works with, '' where it has none. The client must be started and stopped by the caller. */
export function createLanguageClient(
  server: string,
  { trusted, engineSocket }: { readonly trusted: boolean; readonly engineSocket: string },
): LanguageClient {
  // As `pinnace language-server`: room for some versions of a large file among what is young.
  const execArgv = ['--min-semi-space-size=16', '--max-semi-space-size=16'];
  const run = { module: server, transport: TransportKind.ipc, options: { execArgv } };
  const debug = {
    ...run,
    options: { execArgv: [...execArgv, '--nolazy', '--inspect=127.0.0.1:6009'] },
  };
  return new LanguageClient(
    'pinnace',
    'Pinnace Language Server',
    { run, debug },
    {
      documentSelector: [
        { language: 'dockerfile' },
        { language: 'dockerignore' },
        { pattern: '**/.hadolint.{yaml,yml}' },
      ],
      initializationOptions: { trusted, engineSocket, buildCommands: true },
    },
  );
}
