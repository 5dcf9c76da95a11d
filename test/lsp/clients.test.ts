/** What differs from client to client and from file to file: names of files, snippets, bytes, texts that no disk has, 500 files. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import {
  CodeActionRequest,
  type CompletionItem,
  CompletionRequest,
  DocumentFormattingRequest,
  DocumentRangeFormattingRequest,
  DocumentSymbolRequest,
  HoverRequest,
  InsertTextFormat,
  WorkspaceSymbolRequest,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { LanguageServer } from '../support/language-server.ts';

const at = (line: number, character: number): { line: number; character: number } => ({
  line,
  character,
});

const folder = mkdtempSync('/tmp/pinnace-lsp-clients-');
after(() => rmSync(folder, { recursive: true, force: true }));

describe('a file', () => {
  let server: LanguageServer;
  before(async () => (server = await LanguageServer.start()));
  after(() => server.stop());

  const TEXT = 'FROM a:1 AS b\nRUN sudo x\n';
  const symbolsOf = async (uri: string): Promise<number> => {
    const textDocument = { uri };
    const found = await server.connection.sendRequest(DocumentSymbolRequest.type, { textDocument });
    return found?.length ?? 0;
  };

  for (const name of [
    'Dockerfile',
    'dockerfile',
    'Containerfile',
    'web.Dockerfile',
    'web.dockerfile',
    'Dockerfile.dev',
    'Containerfile.prod',
    'any.txt',
    'a%20b/%E5%90%8D%F0%9F%98%80.Dockerfile',
  ]) {
    test(`named ${name} is a Dockerfile`, async () => {
      const uri = `file:///names/${name}`;
      await server.open(uri, TEXT);
      assert.equal(await symbolsOf(uri), 1);
      const { diagnostics } = await server.diagnostics(uri, 1);
      assert.deepEqual(
        diagnostics.map(({ code }) => code),
        ['NoSudo'],
      );
      await server.close(uri);
    });
  }

  for (const name of ['.dockerignore', 'Dockerfile.dockerignore', 'web.Dockerfile.dockerignore']) {
    test(`named ${name} holds patterns, which are checked as such`, async () => {
      const uri = `file:///names/${name}`;
      await server.open(uri, 'FROM x\n[\n');
      assert.equal(await symbolsOf(uri), 0);
      const { diagnostics } = await server.diagnostics(uri, 1);
      assert.deepEqual(
        diagnostics.map(({ range }) => range.start.line),
        [1],
      );
      assert.deepEqual(await server.complete(uri, at(0, 0)), []);
      await server.close(uri);
    });
  }

  test('that no disk has yet is served as one that lies there', async () => {
    const uri = 'untitled:Untitled-1';
    await server.open(uri, 'from a:1 AS b\nCOPY  /\nENV A=1\nRUN sudo $A\n');
    assert.ok((await server.labels(uri, at(0, 2))).includes('from'));
    assert.deepEqual(await server.labels(uri, at(1, 5)), []);
    assert.match(await server.hover(uri, at(3, 10)), /A=1/);
    const { diagnostics } = await server.diagnostics(uri, 1);
    assert.ok(diagnostics.some(({ code }) => code === 'NoSudo'));
    const edits = await server.connection.sendRequest(DocumentFormattingRequest.type, {
      textDocument: { uri },
      options: { tabSize: 2, insertSpaces: true },
    });
    assert.ok((edits?.length ?? 0) > 0);
    await server.close(uri);
  });

  test('is formatted in whole selected lines, in Windows line ends too', async () => {
    const uri = 'file:///range/Dockerfile';
    const text = 'from a\r\nrun  x \\\r\n&& y\r\nrun  z\r\n';
    await server.open(uri, text);
    const edits = await server.connection.sendRequest(DocumentRangeFormattingRequest.type, {
      textDocument: { uri },
      range: { start: at(1, 0), end: at(3, 0) },
      options: { tabSize: 2, insertSpaces: true },
    });
    const document = TextDocument.create(uri, 'dockerfile', 1, text);
    assert.equal(
      TextDocument.applyEdits(document, edits ?? []),
      'from a\r\nRUN x \\\r\n  && y\r\nrun  z\r\n',
    );
    await server.close(uri);
  });
});

test('a client gets snippets only where it can take them, and plain words always', async () => {
  const uri = 'file:///snippets/Dockerfile';
  const items = async (snippetSupport: boolean): Promise<readonly CompletionItem[]> => {
    const completion = { completionItem: { snippetSupport } };
    const server = await LanguageServer.start({ capabilities: { textDocument: { completion } } });
    await server.open(uri, 'FROM a\n\nSHELL \n');
    const found = await server.complete(uri, at(1, 0));
    const shells = await server.complete(uri, at(2, 6));
    await server.stop();
    return [...found, ...shells];
  };
  const isSnippet = ({ insertTextFormat }: CompletionItem): boolean =>
    insertTextFormat === InsertTextFormat.Snippet;
  const plain = await items(false);
  assert.ok(!plain.some(isSnippet));
  assert.ok(!plain.some(({ textEdit }) => /\$\{?\d/.test(textEdit?.newText ?? '')));
  assert.ok(plain.some(({ label }) => label.startsWith('["/bin/bash"')));
  const rich = await items(true);
  assert.ok(rich.some(isSnippet));
  assert.deepEqual(
    rich.filter((item) => !isSnippet(item)).map(({ label }) => label),
    plain.map(({ label }) => label),
  );
});

test('a client that counts bytes gets its own diagnostics back, and edits, ranges and items in bytes', async () => {
  const server = await LanguageServer.start({
    capabilities: { general: { positionEncodings: ['utf-8'] } },
  });
  const { connection } = server;
  const uri = 'file:///bytes/Dockerfile';
  await server.open(uri, 'FROM a:1\nENV A=1\nRUN echo 名😀 "é" && sudo $A\n');
  const textDocument = { uri };
  const { diagnostics } = await server.diagnostics(uri, 1);
  const sudo = diagnostics.find(({ code }) => code === 'NoSudo');
  assert.deepEqual(sudo?.range, { start: at(2, 25), end: at(2, 29) });
  const actions = await connection.sendRequest(CodeActionRequest.type, {
    textDocument,
    range: sudo.range,
    context: { diagnostics: [sudo] },
  });
  const own = (actions ?? []).flatMap((action) => ('kind' in action ? [action] : []));
  const named = own.filter(({ diagnostics: found }) => found !== undefined);
  assert.ok(named.length > 0);
  for (const action of named) assert.deepEqual(action.diagnostics, [sudo]);
  const position = at(2, 31);
  const hover = await connection.sendRequest(HoverRequest.type, { textDocument, position });
  assert.deepEqual(hover?.range, { start: at(2, 31), end: at(2, 32) });
  const listed = await connection.sendRequest(CompletionRequest.type, {
    textDocument,
    position: at(2, 32),
  });
  const items = Array.isArray(listed) ? listed : (listed?.items ?? []);
  const edit = items.find(({ label }) => label === 'A')?.textEdit;
  assert.ok(edit !== undefined && 'range' in edit);
  assert.deepEqual(edit.range, { start: at(2, 31), end: at(2, 32) });
  await server.stop();
});

test('names are found in 500 files within a second, and in what is not saved', async () => {
  const count = 500;
  for (let number = 0; number < count; number++) {
    const below = join(folder, `many/${String(number % 25)}/${String(number)}`);
    mkdirSync(below, { recursive: true });
    const name = ['Dockerfile', 'Containerfile', 'web.Dockerfile', 'Dockerfile.dev'][number % 4];
    const steps = 'RUN echo "$V" && make\n'.repeat(40);
    const text = `ARG V${String(number)}=1\nFROM a:1 AS stage${String(number)}\n${steps}`;
    writeFileSync(join(below, name ?? ''), text);
    writeFileSync(join(below, 'Dockerfile.dockerignore'), 'FROM a AS ignored\n');
  }
  const root = pathToFileURL(join(folder, 'many')).href;
  const server = await LanguageServer.start({ folders: [root] });
  const ask = async (query: string): Promise<readonly string[]> => {
    const found = await server.connection.sendRequest(WorkspaceSymbolRequest.type, { query });
    return (found ?? []).map(({ name }) => name);
  };
  const started = performance.now();
  assert.equal((await ask('')).length, 2 * count);
  const took = performance.now() - started;
  assert.ok(took < 1000, `it took ${String(Math.round(took))} ms`);
  assert.deepEqual(await ask('stage499'), ['stage499']);
  assert.deepEqual(await ask('ignored'), []);
  await server.open(`${root}/7/7/Dockerfile.dev`, 'FROM a AS unsaved\n');
  assert.deepEqual(await ask('unsaved'), ['unsaved']);
  assert.ok(!(await ask('stage7')).includes('stage7'));
  await server.stop();
});
