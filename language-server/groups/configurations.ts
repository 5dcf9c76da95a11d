/** Owns what is said of `.hadolint.yaml` files: their mistakes are shown in them while a Dockerfile that they hold for is open. */
import { pathToFileURL } from 'node:url';
import { DiagnosticSeverity } from 'vscode-languageserver/node';
import type { ConfigProblem } from '../../src/lib/dockerfile/lint/config/hadolint.ts';
import { SOURCE } from '../features/diagnostics.ts';
import type { Group, Session } from '../session.ts';

export const configurations: Group = {
  capabilities: () => ({}),
  register: (session) => {
    const shown = new Set<string>();
    const show = (): void => publish(session, shown);
    session.documents.onDidOpen(show);
    session.documents.onDidClose(show);
    session.onChange(show);
  },
};

/** Publishes the configurations' problems, and empties what is no longer shown. */
function publish(session: Session, shown: Set<string>): void {
  const found = new Map<string, readonly ConfigProblem[]>();
  for (const { uri } of session.documents.all()) {
    if (session.dockerfile(uri) === undefined) continue;
    const configuration = session.linter.configurationOf(uri);
    if (configuration?.path === undefined) continue;
    found.set(pathToFileURL(configuration.path).href, configuration.configuration.problems);
  }
  for (const uri of shown) if (!found.has(uri)) found.set(uri, []);
  for (const [uri, problems] of found) {
    if (problems.length === 0 && !shown.has(uri)) continue;
    if (problems.length === 0) shown.delete(uri);
    else shown.add(uri);
    void session.connection.sendDiagnostics({ uri, diagnostics: problems.map(diagnosticOf) });
  }
}

function diagnosticOf({ line, character, key, message }: ConfigProblem) {
  const start = { line, character };
  return {
    range: { start, end: { line, character: character + 1 } },
    severity: DiagnosticSeverity.Warning,
    source: SOURCE,
    message: key === '' ? message : `${key}: ${message}`,
  };
}
