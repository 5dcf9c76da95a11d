/** The messages about builds: inlay hints, code lenses, and the client's word that a build has been made. */
import { ResponseError, ErrorCodes } from 'vscode-languageserver/node';
import { isRecord } from '../../src/lib/record.ts';
import { LARGE } from '../facts.ts';
import { codeLensesOf } from '../features/code-lenses.ts';
import { inlayHintsOf } from '../features/inlay-hints.ts';
import type { BuildKnowledge } from '../knowledge/builds.ts';
import { pathOf } from '../knowledge/paths.ts';
import type { Group, Session } from '../session.ts';

/** A build has been made: `[{ "socket": "/run/…" }]`, the engine that made it, '' for the usual one. */
const BUILDS_CHANGED = 'pinnace.languageServer.buildsChanged';

/** Several answers of an engine are one refresh; milliseconds. */
const PAUSE = 50;

export const builds = (knowledge: BuildKnowledge): Group => ({
  capabilities: () => ({
    inlayHintProvider: true,
    codeLensProvider: {},
    executeCommandProvider: { commands: [BUILDS_CHANGED] },
  }),
  register: (session) => {
    const { connection } = session;
    const refresh = refresher(session);
    knowledge.onFound(refresh);
    session.onChange(() => {
      knowledge.clear();
      refresh();
    });
    connection.languages.inlayHint.on(({ textDocument: { uri }, range }) => {
      if (!session.client.settings.inlayHints) return [];
      return session.answer(uri, [], ({ file }) => {
        const path = pathOf(uri);
        if (path === undefined || file.text.length > LARGE) return [];
        const lines = { start: range.start.line, end: range.end.line };
        return inlayHintsOf({ file, ...knowledge.of(path, file.text), range: lines });
      });
    });
    connection.onCodeLens(({ textDocument: { uri } }) => {
      if (!session.client.settings.codeLenses) return [];
      return session.answer(uri, [], ({ file }) => {
        const path = pathOf(uri);
        if (file.text.length > LARGE) return [];
        const record = path === undefined ? undefined : knowledge.of(path, file.text).record;
        const { buildCommands: commands } = session.client;
        return codeLensesOf({ file, path, record, commands, now: Date.now() });
      });
    });
    connection.onExecuteCommand(({ command, arguments: args }) => {
      if (command !== BUILDS_CHANGED) {
        return new ResponseError(ErrorCodes.InvalidParams, `there is no command ${command}`);
      }
      const given: unknown = args?.[0];
      const socket = isRecord(given) ? given['socket'] : undefined;
      if (typeof socket === 'string') session.client.engineSocket = socket;
      knowledge.clear();
      refresh();
      return null;
    });
  },
});

/** Asks the client to ask again, once for what comes together. */
function refresher(session: Session): () => void {
  const { connection } = session;
  let timer: NodeJS.Timeout | undefined;
  const run = (): void => {
    timer = undefined;
    const { inlayHint, codeLens } = session.client.capabilities.workspace ?? {};
    const failed = (error: unknown): void =>
      connection.console.warn(`the client refused to ask again: ${String(error)}`);
    if (inlayHint?.refreshSupport === true) connection.languages.inlayHint.refresh().catch(failed);
    if (codeLens?.refreshSupport === true)
      connection.sendRequest('workspace/codeLens/refresh').catch(failed);
  };
  return () => {
    timer ??= setTimeout(run, PAUSE);
    timer.unref();
  };
}
