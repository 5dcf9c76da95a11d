/** Owns what is said of `.hadolint.yaml` files: their mistakes are shown in them while a Dockerfile that they hold for is open. */
import { pathToFileURL } from 'node:url';
import type { ConfigProblem } from '../../src/lib/dockerfile/lint/config/hadolint.ts';
import { configurationDiagnostics } from '../features/configuration/configuration.ts';
import { pathOf } from '../knowledge/paths.ts';
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
  const open = new Set(session.documents.all().map(({ uri }) => pathOf(uri)));
  for (const uri of shown) if (!found.has(uri)) found.set(uri, []);
  for (const [uri, problems] of found) {
    // One that is open has those of its own text, however the client writes its address.
    const own = open.has(pathOf(uri)) ? [] : problems;
    if (own.length === 0 && !shown.has(uri)) continue;
    if (own.length === 0) shown.delete(uri);
    else shown.add(uri);
    const diagnostics = configurationDiagnostics(own);
    void session.connection.sendDiagnostics({ uri, diagnostics });
  }
}
