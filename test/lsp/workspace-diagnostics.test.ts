/** Problems of the whole workspace, asked for over stdio as editors do: while files, folders and settings change, in floods, and in a tree of 5,000 Dockerfiles. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  CancellationTokenSource,
  type ClientCapabilities,
  ConfigurationRequest,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  DidChangeWorkspaceFoldersNotification,
  DocumentDiagnosticRequest,
  HoverRequest,
  LSPErrorCodes,
  type Registration,
  RegistrationRequest,
  ResponseError,
  UnregistrationRequest,
  WorkspaceDiagnosticRequest,
  type WorkspaceDocumentDiagnosticReport,
} from 'vscode-languageserver/node';
import { LanguageServer } from '../support/language-server.ts';

const ROOT = mkdtempSync('/tmp/pinnace-lsp-workspace-');
after(() => rmSync(ROOT, { recursive: true, force: true }));

type Report = WorkspaceDocumentDiagnosticReport;

/** Keeps what a client keeps of an answer. */
class Editor {
  readonly server: LanguageServer;
  readonly shown = new Map<string, string[]>();
  /** What the server registered and did not take back. */
  readonly registered: readonly Registration[];
  private readonly ids = new Map<string, string>();
  private count = 0;

  constructor(server: LanguageServer, registered: readonly Registration[]) {
    this.server = server;
    this.registered = registered;
  }

  /** One answer, in parts where it is to come so. */
  async pull({ parts = false, token }: Pull = {}): Promise<Report[]> {
    const { connection } = this.server;
    const previousResultIds = [...this.ids].map(([uri, value]) => ({ uri, value }));
    const partialResultToken = `part ${String(++this.count)}`;
    const items: Report[] = [];
    const listening = connection.onProgress(
      WorkspaceDiagnosticRequest.partialResult,
      partialResultToken,
      (part) => {
        items.push(...part.items);
      },
    );
    const params = { previousResultIds, ...(parts ? { partialResultToken } : {}) };
    try {
      const answer = await connection.sendRequest(WorkspaceDiagnosticRequest.type, params, token);
      items.push(...answer.items);
    } finally {
      listening.dispose();
    }
    for (const item of items) this.take(item);
    return items;
  }

  /** The files that have problems, and their codes. */
  table(): string {
    const rows = [...this.shown].filter(([, codes]) => codes.length > 0);
    return rows
      .map(([uri, codes]) => `${nameOf(uri)}: ${codes.join(' ')}`)
      .sort()
      .join('\n');
  }

  async told(paths: readonly string[], type: 1 | 2 | 3): Promise<void> {
    const changes = paths.map((path) => ({ uri: pathToFileURL(path).href, type }));
    await this.server.connection.sendNotification(DidChangeWatchedFilesNotification.type, {
      changes,
    });
  }

  private take(item: Report): void {
    const { uri, resultId } = item;
    if (item.kind === 'full') {
      const codes = new Set(item.items.map(({ code }) => String(code)));
      this.shown.set(uri, [...codes].sort());
    }
    if (resultId === undefined) this.ids.delete(uri);
    else this.ids.set(uri, resultId);
  }
}

interface Pull {
  readonly parts?: boolean;
  readonly token?: CancellationTokenSource['token'];
}

function nameOf(uri: string): string {
  return decodeURIComponent(uri).split('/').slice(-2).join('/');
}

const WATCHES: ClientCapabilities = {
  textDocument: { diagnostic: { dynamicRegistration: true } },
  workspace: {
    configuration: true,
    workspaceFolders: true,
    didChangeConfiguration: { dynamicRegistration: true },
    didChangeWatchedFiles: { dynamicRegistration: true },
    diagnostics: { refreshSupport: true },
  },
};

const PLAIN: ClientCapabilities = {
  textDocument: { diagnostic: {} },
  workspace: { workspaceFolders: true },
};

function isWatching({ workspace }: ClientCapabilities): boolean {
  return workspace?.didChangeWatchedFiles?.dynamicRegistration === true;
}

describe('the problems of a workspace', () => {
  let folder = '';
  let count = 0;
  let settings: Record<string, unknown> = {};
  const servers: LanguageServer[] = [];
  const put = (path: string, text: string): string => {
    const whole = join(folder, path);
    mkdirSync(join(whole, '..'), { recursive: true });
    writeFileSync(whole, text);
    return whole;
  };
  const uriOf = (path: string): string => pathToFileURL(join(folder, path)).href;
  const start = async (capabilities: ClientCapabilities, paths = ['.']): Promise<Editor> => {
    const registered: Registration[] = [];
    const server = await LanguageServer.start({
      capabilities,
      folders: paths.map(uriOf),
      initializationOptions: { settings },
      prepare: (connection) => {
        connection.onRequest(ConfigurationRequest.type, ({ items }) => items.map(() => settings));
        connection.onRequest('workspace/diagnostic/refresh', () => null);
        connection.onRequest(RegistrationRequest.type, ({ registrations }) => {
          registered.push(...registrations);
        });
        connection.onRequest(UnregistrationRequest.type, ({ unregisterations }) => {
          const gone = new Set(unregisterations.map(({ id }) => id));
          const kept = registered.filter(({ id }) => !gone.has(id));
          registered.splice(0, Infinity, ...kept);
        });
      },
    });
    servers.push(server);
    const editor = new Editor(server, registered);
    if (isWatching(capabilities)) {
      // It asks for the settings when it has begun, and what it knew is in doubt then.
      await server.awaited(() => Promise.resolve(registered.length >= 2));
      await delay(50);
    }
    return editor;
  };
  beforeEach(() => {
    folder = join(ROOT, String(++count));
    mkdirSync(folder);
    settings = { engineLookups: false };
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });

  test('are those of every Dockerfile, by the rules that hold for each, and unchanged when asked again', async () => {
    put('a/Dockerfile', 'FROM a\n');
    put('b/Containerfile', 'FROM b:1 as x\nCOPY here gone /x/\n');
    put('b/here', '');
    put('c/app.Dockerfile', 'FROM c\n');
    put('c/.hadolint.yaml', 'ignored: [DL3006]\n');
    put('d e [1]/Dockerfile', 'RUNN x\n');
    put('node_modules/p/Dockerfile', 'FROM a\n');
    const editor = await start(PLAIN);
    const { diagnosticProvider } = editor.server.initialized.capabilities;
    assert.equal(diagnosticProvider?.workspaceDiagnostics, true);
    const first = await editor.pull();
    assert.equal(
      editor.table(),
      [
        'a/Dockerfile: PinImageTag',
        'b/Containerfile: CopySourceMissing FromAsCasing',
        'd e [1]/Dockerfile: UnknownInstruction',
      ].join('\n'),
    );
    assert.ok(first.every(({ version }) => version === null));
    assert.deepEqual(
      (await editor.pull()).map(({ kind }) => kind),
      ['unchanged', 'unchanged', 'unchanged', 'unchanged'],
    );
  });

  test('are in bytes for a client that counts them', async () => {
    put('a/Dockerfile', 'FROM a:1\nRUN echo "é" && sudo x\n');
    const editor = await start({ ...PLAIN, general: { positionEncodings: ['utf-8'] } });
    const [report] = await editor.pull();
    assert.ok(report?.kind === 'full');
    const sudo = report.items.find(({ code }) => code === 'NoSudo');
    assert.equal(sudo?.range.start.character, 17);
  });

  test('are those of the open text and its version, and those of the file when it is closed', async () => {
    put('a b/Dockerfile', 'FROM a\n');
    const editor = await start(PLAIN);
    await editor.pull();
    // As some editors write it.
    const uri = uriOf('a b/Dockerfile').replace('/tmp/', '/%74mp/');
    await editor.server.open(uri, 'FROM a:1\nMAINTAINER x\n');
    const [opened, ...others] = await editor.pull();
    assert.deepEqual(others, []);
    assert.equal(opened?.version, 1);
    assert.equal(
      editor.table(),
      'a b/Dockerfile: MaintainerDeprecated\na b/Dockerfile: PinImageTag',
    );
    editor.shown.delete(uriOf('a b/Dockerfile'));
    const { connection } = editor.server;
    const textDocument = { uri };
    const own = await connection.sendRequest(DocumentDiagnosticRequest.type, { textDocument });
    assert.equal(own.resultId, opened.resultId, 'both requests name it alike');
    await editor.server.change(uri, 5, [{ text: 'FROM a:1\n' }]);
    assert.deepEqual(
      (await editor.pull()).map(({ version }) => version),
      [5],
    );
    assert.equal(editor.table(), '');
    await editor.server.close(uri);
    const closed = await connection.sendRequest(DocumentDiagnosticRequest.type, { textDocument });
    assert.ok(closed.kind === 'full' && closed.items.length === 1);
    await editor.pull();
    assert.equal(editor.table(), 'a b/Dockerfile: PinImageTag');
    await editor.server.open(uri, 'FROM a:1\n');
    await editor.pull();
    assert.equal(editor.table(), '', 'the first version of another opening is another one');
  });

  test('come and go with files and folders', async () => {
    put('one/Dockerfile', 'FROM a\n');
    const gone = put('one/x/Dockerfile', 'FROM a\n');
    put('two/Dockerfile', 'FROM a\n');
    const editor = await start(WATCHES, ['one', 'one/x']);
    await editor.pull();
    assert.equal(editor.table(), 'one/Dockerfile: PinImageTag\nx/Dockerfile: PinImageTag');
    rmSync(gone);
    await editor.told([gone], 3);
    await editor.pull();
    assert.equal(editor.table(), 'one/Dockerfile: PinImageTag');
    const { connection } = editor.server;
    const named = (path: string): { uri: string; name: string } => ({
      uri: uriOf(path),
      name: path,
    });
    const event = { added: [named('two'), named('three')], removed: [named('one')] };
    await connection.sendNotification(DidChangeWorkspaceFoldersNotification.type, { event });
    await editor.pull();
    assert.equal(editor.table(), 'two/Dockerfile: PinImageTag');
    await editor.told([put('two/.hadolint.yaml', 'ignored: [DL3006]\n')], 1);
    await editor.pull();
    assert.equal(editor.table(), '');
    await editor.told([put('three/new/Containerfile', 'FROM a as b\n')], 1);
    await editor.pull();
    assert.equal(editor.table(), 'new/Containerfile: FromAsCasing PinImageTag');
  });

  test('are waited for while nothing changes, where the client watches and takes parts', async () => {
    const path = put('a/Dockerfile', 'FROM a\n');
    put('b/Dockerfile', 'FROM a\n');
    const editor = await start(WATCHES);
    await editor.pull({ parts: true });
    const held = editor.pull({ parts: true });
    const outcome = (): Promise<string> =>
      Promise.race([held.then(() => 'answered'), delay(400, 'open')]);
    assert.equal(await outcome(), 'open');
    await editor.told([path], 2);
    assert.equal(await outcome(), 'open', 'the file is as it was');
    put('a/Dockerfile', 'FROM a:1\n');
    await editor.told([path], 2);
    const kinds = (await held).map(({ kind }) => kind);
    assert.deepEqual(kinds.sort(), ['full', 'unchanged']);
    assert.equal(editor.table(), 'b/Dockerfile: PinImageTag');
  });

  test('of what is closed while a request waits are told, though the client had them before', async () => {
    put('a/Dockerfile', 'FROM a\n');
    const odd = 'untitled:Untitled-1';
    const editor = await start(WATCHES);
    await editor.pull({ parts: true });
    const uri = uriOf('a/Dockerfile');
    const held = editor.pull({ parts: true });
    await editor.server.open(uri, 'FROM a\n');
    await editor.server.open(odd, 'FROM a\n');
    assert.equal((await held).length, 1, 'the open text is another thing than the file');
    const again = editor.pull({ parts: true });
    await delay(200);
    await editor.server.close(uri);
    await editor.server.close(odd);
    const told = new Map((await again).map((item) => [item.uri, item]));
    const [file, other] = [told.get(uri), told.get(odd)];
    assert.ok(file?.kind === 'full' && file.items.length === 1 && file.version === null);
    assert.ok(other?.kind === 'full' && other.items.length === 0);
  });

  test('are shown or not as the setting says, also when it changes', async () => {
    put('a/Dockerfile', 'FROM a\n');
    settings = { engineLookups: false, workspaceDiagnostics: false };
    const editor = await start(WATCHES);
    const { diagnosticProvider } = editor.server.initialized.capabilities;
    assert.equal(diagnosticProvider?.workspaceDiagnostics, false);
    assert.deepEqual(await editor.pull(), []);
    const change = async (isOn: boolean): Promise<void> => {
      settings = { engineLookups: false, workspaceDiagnostics: isOn };
      await editor.server.connection.sendNotification(DidChangeConfigurationNotification.type, {
        settings: null,
      });
      await editor.server.awaited(() => {
        const found = editor.registered.filter(({ method }) => /diagnostic$/.test(method));
        const { workspaceDiagnostics } = (found[0]?.registerOptions ?? {}) as typeof settings;
        return Promise.resolve(found.length === 1 && workspaceDiagnostics === isOn);
      });
    };
    await change(true);
    await editor.pull({ parts: true });
    assert.equal(editor.table(), 'a/Dockerfile: PinImageTag');
    const held = editor.pull({ parts: true });
    await change(false);
    await held;
    assert.equal(editor.table(), '');
    await change(true);
    await editor.pull();
    assert.equal(editor.table(), 'a/Dockerfile: PinImageTag');
  });

  test('are cancelled at once in a flood, and the last request has them all', async () => {
    for (let number = 0; number < 300; number++)
      put(`${String(number)}/Dockerfile`, `FROM a\nRUN echo ${String(number)}\n`);
    const editor = await start(WATCHES);
    const asked = Array.from({ length: 500 }, async (_, number) => {
      const source = new CancellationTokenSource();
      const answer = editor.server.connection.sendRequest(
        WorkspaceDiagnosticRequest.type,
        { previousResultIds: [], partialResultToken: number },
        source.token,
      );
      if (number % 2 === 0) source.cancel();
      else setTimeout(() => source.cancel(), number % 50);
      return answer.then(
        ({ items }) => (items.length === 300 ? 'answered' : `${String(items.length)} files`),
        (error: unknown) =>
          error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled
            ? 'cancelled'
            : String(error),
      );
    });
    const whole = editor.pull();
    const others = new Set(await Promise.all(asked));
    others.delete('cancelled');
    // Its parts went before.
    for (const outcome of others) assert.match(outcome, /^\d+ files$/);
    assert.equal((await whole).length, 300);
    const held = new CancellationTokenSource();
    const waiting = assert.rejects(editor.pull({ parts: true, token: held.token }));
    await delay(100);
    held.cancel();
    await waiting;
  });

  test('of five thousand Dockerfiles hold up nobody who types, and come back for next to nothing', async (t) => {
    for (let number = 0; number < 5000; number++) {
      const steps = Array.from(
        { length: 10 },
        (_, at) => `RUN echo ${String(number)} ${String(at)}`,
      );
      put(`${String(number % 50)}/${String(number)}/Dockerfile`, `FROM a\n${steps.join('\n')}\n`);
    }
    const editor = await start(WATCHES);
    const uri = uriOf('open.Dockerfile');
    await editor.server.open(uri, 'FROM a AS b\nRUN x\n');
    const { connection } = editor.server;
    const params = { textDocument: { uri }, position: { line: 1, character: 1 } };
    const state = { isOver: false };
    const all = editor.pull({ parts: true }).finally(() => (state.isOver = true));
    const waits: number[] = [];
    while (!state.isOver) {
      const started = performance.now();
      await connection.sendRequest(HoverRequest.type, params);
      waits.push(performance.now() - started);
      await delay(5);
    }
    assert.equal((await all).length, 5001);
    waits.sort((a, b) => a - b);
    const middle = waits[Math.floor(waits.length / 2)] ?? 0;
    const most = waits[Math.floor(waits.length * 0.99)] ?? 0;
    t.diagnostic(
      `answers meanwhile: half within ${middle.toFixed(1)} ms, 99 of 100 within ${most.toFixed(1)} ms`,
    );
    assert.ok(middle < 25 && most < 250, `${String(middle)} ms, ${String(most)} ms`);
    const started = performance.now();
    const again = await editor.pull();
    const took = performance.now() - started;
    assert.deepEqual([...new Set(again.map(({ kind }) => kind))], ['unchanged']);
    t.diagnostic(`all unchanged: ${took.toFixed(0)} ms`);
    assert.ok(took < 2000, `${String(took)} ms`);
    const path = put('7/7/Dockerfile', 'FROM a:1\n');
    await editor.told([path], 2);
    const changed = (await editor.pull()).filter(({ kind }) => kind === 'full');
    assert.equal(changed.filter((item) => item.uri !== uri).length, 1);
  });
});
