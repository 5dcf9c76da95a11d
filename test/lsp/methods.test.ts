/** Every method of the protocol: with parameters of wrong types, in a flood that is cancelled, on five megabytes, in bytes and in UTF-16. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  CancellationTokenSource,
  ConfigurationRequest,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  DidChangeWorkspaceFoldersNotification,
  DocumentDiagnosticRequest,
  DocumentSymbolRequest,
  LSPErrorCodes,
  ProgressType,
  ReferencesRequest,
  RegistrationRequest,
  RenameRequest,
  ResponseError,
  type TextEdit,
  WorkspaceSymbolRequest,
} from 'vscode-languageserver/node';
import { LanguageServer } from '../support/language-server.ts';

const at = (line: number, character: number): { line: number; character: number } => ({
  line,
  character,
});

/** Parameters that are right, for a document. */
function methodsOf(uri: string): Record<string, Record<string, unknown>> {
  const textDocument = { uri };
  const position = at(1, 11);
  const range = { start: at(0, 0), end: at(2, 0) };
  const place = { textDocument, position };
  const options = { tabSize: 2, insertSpaces: true };
  const item = { name: 'a', kind: 5, uri, range, selectionRange: range };
  return {
    'textDocument/completion': place,
    'textDocument/hover': place,
    'textDocument/signatureHelp': place,
    'textDocument/definition': place,
    'textDocument/references': { ...place, context: { includeDeclaration: true } },
    'textDocument/documentHighlight': place,
    'textDocument/linkedEditingRange': place,
    'textDocument/prepareRename': place,
    'textDocument/rename': { ...place, newName: 'other' },
    'textDocument/prepareCallHierarchy': place,
    'callHierarchy/incomingCalls': { item },
    'callHierarchy/outgoingCalls': { item },
    'textDocument/documentSymbol': { textDocument },
    'textDocument/foldingRange': { textDocument },
    'textDocument/selectionRange': { textDocument, positions: [position] },
    'textDocument/documentLink': { textDocument },
    'textDocument/codeLens': { textDocument },
    'textDocument/inlayHint': { textDocument, range },
    'textDocument/diagnostic': { textDocument },
    'textDocument/codeAction': { textDocument, range, context: { diagnostics: [] } },
    'textDocument/formatting': { textDocument, options },
    'textDocument/rangeFormatting': { textDocument, range, options },
    'textDocument/onTypeFormatting': { ...place, ch: '\n', options },
    'textDocument/semanticTokens/full': { textDocument },
    'textDocument/semanticTokens/full/delta': { textDocument, previousResultId: 'none' },
    'textDocument/semanticTokens/range': { textDocument, range },
    'workspace/diagnostic': { previousResultIds: [{ uri, value: 'none' }] },
    'workspace/symbol': { query: '' },
  };
}

/** Values of every type, and numbers that no text has. */
const ODD: readonly unknown[] = [null, true, 7, -1, 1e308, '', 'x', [], [7], {}, { uri: 7 }];

/** `params` with each of its values, however deep, in turn replaced by an odd one or left out. */
function* spoiled(params: unknown, put: (value: unknown) => unknown = (v) => v): Generator {
  for (const odd of ODD) yield put(odd);
  if (typeof params !== 'object' || params === null) return;
  for (const [key, value] of Object.entries(params)) {
    const copy = (inner: unknown): unknown =>
      put(
        Array.isArray(params)
          ? params.map((old: unknown, index) => (String(index) === key ? inner : old))
          : { ...params, [key]: inner },
      );
    yield copy(undefined);
    yield* spoiled(value, copy);
  }
}

/** Milliseconds that no answer takes, however busy the machine is. */
const HANGS = 20_000;

const TEXT =
  'ARG V=1\nFROM a AS build\nRUN echo "$V" \\\n  && make\nFROM build\nCOPY --from=build /x /y\n';
const uri = 'file:///methods/Dockerfile';

describe('every method', () => {
  let server: LanguageServer;
  before(async () => {
    server = await LanguageServer.start({ capabilities: { textDocument: { diagnostic: {} } } });
    await server.open(uri, TEXT);
  });
  after(() => server.stop());

  test('is announced, and answers well when it is asked well', async () => {
    for (const [method, params] of Object.entries(methodsOf(uri)))
      await server.connection.sendRequest(method, params);
  });

  test('answers whatever its parameters are, and never with an accident', async () => {
    const odd: string[] = [];
    const asked: Promise<unknown>[] = [];
    for (const [method, params] of Object.entries(methodsOf(uri))) {
      for (const wrong of spoiled(params)) {
        const answer = server.connection.sendRequest(method, wrong);
        const told = answer.catch((error: unknown) => {
          assert.ok(error instanceof ResponseError);
          if (/is not a function|Cannot read|undefined|not iterable/.test(error.message))
            odd.push(`${method} ${JSON.stringify(wrong)}: ${error.message}`);
        });
        asked.push(told);
      }
    }
    assert.ok(asked.length > 2000);
    await Promise.all(asked);
    assert.deepEqual(odd.slice(0, 5), []);
    assert.match(await server.hover(uri, at(1, 1)), /stage/);
  });

  test('is answered or cancelled, each once, in a flood', async () => {
    const methods = Object.entries(methodsOf(uri));
    const outcomes = new Map<string, number>();
    const all = Array.from({ length: 3000 }, async (_, number) => {
      const [method, params] = methods[number % methods.length] ?? ['', {}];
      const source = new CancellationTokenSource();
      const answer = server.connection.sendRequest(method, params, source.token);
      if (number % 3 !== 0) source.cancel();
      const outcome = await answer.then(
        () => 'answered',
        (error: unknown) =>
          error instanceof ResponseError && error.code === LSPErrorCodes.RequestCancelled
            ? 'cancelled'
            : String(error),
      );
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    });
    await Promise.all(all);
    const { answered = 0, cancelled = 0, ...others } = Object.fromEntries(outcomes);
    assert.deepEqual(others, {});
    assert.ok(answered >= 1000 && answered + cancelled === 3000);
  });

  test('answers of a file of five megabytes', async () => {
    const big = 'file:///methods/big/Dockerfile';
    const line = 'RUN echo "something $V" && something else\n';
    await server.open(big, TEXT + line.repeat(125_000));
    const end = at(125_006, 0);
    const slow: string[] = [];
    for (const [method, params] of Object.entries(methodsOf(big))) {
      if (method.startsWith('workspace/')) continue;
      const started = performance.now();
      await server.connection.sendRequest(method, params);
      const took = performance.now() - started;
      if (took > HANGS) slow.push(`${method}: ${String(Math.round(took))} ms`);
    }
    assert.deepEqual(slow, []);
    await server.change(big, 2, [{ range: { start: end, end }, text: 'CO' }]);
    assert.ok((await server.labels(big, at(125_006, 2))).includes('COPY'));
    await server.close(big);
  });
});

/** Astral characters, combining ones, a byte order mark, Windows' line ends. */
const WIDE =
  '\ufeff# 😀\r\nFROM a AS build\r\nENV 名=1 B="😀" C=2\r\nRUN echo 😀 $C é "$B"\r\nFROM build\r\n';

for (const encoding of ['utf-8', 'utf-16'] as const) {
  describe(`positions in ${encoding}`, () => {
    let server: LanguageServer;
    const wide = 'file:///wide/Dockerfile';
    before(async () => {
      const capabilities = {
        general: { positionEncodings: [encoding] },
        textDocument: { diagnostic: {} },
      };
      server = await LanguageServer.start({ capabilities });
      assert.equal(server.initialized.capabilities.positionEncoding, encoding);
      await server.open(wide, WIDE);
    });
    after(() => server.stop());

    /** Characters of a text in the encoding. */
    const width = (text: string): number =>
      encoding === 'utf-8' ? Buffer.byteLength(text) : text.length;
    const place = (text: string, line: number): { line: number; character: number } => {
      const whole = WIDE.split('\r\n')[line] ?? '';
      return at(line, width(whole.slice(0, whole.indexOf(text))));
    };

    test('are those of the client, in answers too', async () => {
      const textDocument = { uri: wide };
      const edits = await server.connection.sendRequest(RenameRequest.type, {
        textDocument,
        position: place('C=2', 2),
        newName: 'D',
      });
      const changes: readonly TextEdit[] = edits?.changes?.[wide] ?? [];
      const use = place('C é', 3);
      assert.deepEqual(
        changes.map(({ range }) => range.start).sort((a, b) => a.line - b.line),
        [place('C=2', 2), use],
      );
      const hover = await server.hover(wide, place('B"', 3));
      assert.match(hover, /😀/);
    });

    test('hold in edits, of several at once and behind what is wide', async () => {
      const start = place('C=2', 2);
      const end = at(2, start.character + 1);
      const first = { range: { start, end }, text: '😀é' };
      const behind = at(2, start.character + width('😀é=2'));
      await server.change(wide, 2, [
        first,
        { range: { start: behind, end: behind }, text: ' Z=3' },
      ]);
      const symbols = await server.connection.sendRequest(DocumentSymbolRequest.type, {
        textDocument: { uri: wide },
      });
      assert.match(JSON.stringify(symbols), /Z/);
      assert.match(await server.hover(wide, at(2, behind.character + 1)), /Z=3/);
    });

    test('a byte order mark moves nothing', async () => {
      const report = await server.connection.sendRequest(DocumentDiagnosticRequest.type, {
        textDocument: { uri: wide },
      });
      assert.ok(report.kind === 'full');
      assert.deepEqual(
        report.items.filter(({ severity }) => severity === 1).map(({ message }) => message),
        [],
      );
    });
  });
}

describe('the workspace', () => {
  const folder = mkdtempSync('/tmp/pinnace-lsp-methods-');
  after(() => rmSync(folder, { recursive: true, force: true }));
  const put = (path: string, text: string): string => {
    const whole = join(folder, path);
    mkdirSync(join(whole, '..'), { recursive: true });
    writeFileSync(whole, text);
    return pathToFileURL(whole).href;
  };

  test('may have several folders, which come and go', async () => {
    put('one/Dockerfile', 'FROM a AS first\n');
    put('two/Containerfile', 'FROM a AS second\n');
    put('three/x.Dockerfile', 'FROM a AS third\n');
    const uriOf = (name: string): string => pathToFileURL(join(folder, name)).href;
    const server = await LanguageServer.start({
      folders: [uriOf('one'), uriOf('two')],
      capabilities: { workspace: { workspaceFolders: true } },
    });
    const { connection } = server;
    const names = async (): Promise<string> => {
      const found =
        (await connection.sendRequest(WorkspaceSymbolRequest.type, { query: '' })) ?? [];
      return found
        .map(({ name }) => name)
        .sort()
        .join(' ');
    };
    assert.equal(await names(), 'first second');
    const event = {
      added: [{ uri: uriOf('three'), name: 'three' }],
      removed: [{ uri: uriOf('one'), name: 'one' }],
    };
    await connection.sendNotification(DidChangeWorkspaceFoldersNotification.type, { event });
    assert.equal(await names(), 'second third');
    put('two/Dockerfile', 'FROM a AS fourth\n');
    await connection.sendNotification(DidChangeWatchedFilesNotification.type, { changes: [] });
    assert.equal(await names(), 'fourth second third');
    await server.stop();
  });

  test('has each name once, however the client writes the address of what it opens', async () => {
    const file = put('odd (1) @é/Dockerfile', 'FROM a AS saved\n');
    const server = await LanguageServer.start({ folders: [file.replace(/\/Dockerfile$/, '')] });
    await server.open(file.replace('(1)', '%281%29').replace('@', '%40'), 'FROM a AS typed\n');
    const found = await server.connection.sendRequest(WorkspaceSymbolRequest.type, { query: '' });
    assert.deepEqual(
      found?.map(({ name }) => name),
      ['typed'],
    );
    await server.stop();
  });

  test('has settings, which are asked for and asked again; files are watched where the client can', async () => {
    const registered: string[] = [];
    let rules: Record<string, string> = { MaintainerDeprecated: 'off' };
    const server = await LanguageServer.start({
      capabilities: {
        workspace: {
          configuration: true,
          didChangeConfiguration: { dynamicRegistration: true },
          didChangeWatchedFiles: { dynamicRegistration: true },
        },
      },
      prepare: (connection) => {
        connection.onRequest(ConfigurationRequest.type, ({ items }) =>
          items.map(() => ({ rules })),
        );
        connection.onRequest(RegistrationRequest.type, ({ registrations }) => {
          registered.push(...registrations.map(({ method }) => method));
        });
      },
    });
    const file = put('settings/Dockerfile', '');
    const codes = async (version: number): Promise<string[]> =>
      (await server.diagnostics(file, version)).diagnostics.map(({ code }) => String(code));
    await server.open(file, 'FROM a:1\nMAINTAINER x\n');
    await server.awaited(async () => !(await codes(1)).includes('MaintainerDeprecated'));
    assert.deepEqual(registered.sort(), [
      'workspace/didChangeConfiguration',
      'workspace/didChangeWatchedFiles',
    ]);
    rules = {};
    await server.connection.sendNotification(DidChangeConfigurationNotification.type, {
      settings: null,
    });
    await server.awaited(async () => (await codes(1)).includes('MaintainerDeprecated'));
    put('settings/.hadolint.yaml', 'ignored: [DL4000]\n');
    await server.connection.sendNotification(DidChangeWatchedFilesNotification.type, {
      changes: [{ uri: `${file}/../.hadolint.yaml`, type: 1 }],
    });
    await server.awaited(async () => !(await codes(1)).includes('MaintainerDeprecated'));
    await server.stop();
  });

  test('long lists come in parts where the client wants them so, and none is lost', async () => {
    const server = await LanguageServer.start();
    const { connection } = server;
    const long = 'file:///parts/Dockerfile';
    const count = 1200;
    await server.open(long, `ARG V=1\n${'FROM a\nARG V\nRUN echo $V\n'.repeat(count / 3)}`);
    const parts: unknown[][] = [];
    const listening = connection.onProgress(
      new ProgressType<unknown[]>(),
      'some',
      (part) => void parts.push(part),
    );
    const textDocument = { uri: long };
    const partialResultToken = 'some';
    const rest = await connection.sendRequest(DocumentSymbolRequest.type, {
      textDocument,
      partialResultToken,
    });
    assert.deepEqual(rest, []);
    assert.equal(parts.flat().length, count / 3 + 1);
    const whole = await connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
    assert.deepEqual(parts.flat(), whole);
    parts.length = 0;
    const asked = { textDocument, position: at(0, 4), context: { includeDeclaration: true } };
    const all = await connection.sendRequest(ReferencesRequest.type, asked);
    const none = await connection.sendRequest(ReferencesRequest.type, {
      ...asked,
      partialResultToken,
    });
    assert.deepEqual(none, []);
    assert.deepEqual(parts.flat(), all);
    assert.ok(parts.length > 1);
    listening.dispose();
    await server.stop();
  });
});
