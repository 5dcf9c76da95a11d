/** What the language server takes from beside its documents: files of the context, registries once trusted, the command. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  DidChangeConfigurationNotification,
  DocumentDiagnosticRequest,
  DocumentLinkRequest,
} from 'vscode-languageserver/node';
import { LanguageServer } from '../support/language-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'pinnace-lsp-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const at = (line: number, character: number): { line: number; character: number } => ({
  line,
  character,
});

test('paths of the context are completed and linked, those that are ignored are not', async () => {
  const server = await LanguageServer.start();
  mkdirSync(join(folder, 'ctx', 'src'), { recursive: true });
  writeFileSync(join(folder, 'ctx', '.dockerignore'), 'secret*\nDockerfile\n');
  for (const name of ['app.js', 'secret.txt', 'src/in.js'])
    writeFileSync(join(folder, 'ctx', name), '');
  const uri = pathToFileURL(join(folder, 'ctx', 'Dockerfile')).href;
  await server.open(uri, 'FROM a\nCOPY  /\nCOPY src/ /\nCOPY app.js none /\n');
  assert.deepEqual(await server.labels(uri, at(1, 5)), ['src/', 'app.js']);
  assert.deepEqual(await server.labels(uri, at(2, 9)), ['in.js']);
  const links = await server.connection.sendRequest(DocumentLinkRequest.type, {
    textDocument: { uri },
  });
  const targets = links?.map(({ target }) => target ?? '');
  assert.deepEqual(targets, [
    'https://hub.docker.com/_/a',
    pathToFileURL(join(folder, 'ctx', 'app.js')).href,
  ]);
  await server.stop();
});

test('what lies in place of settings is told there, and ends nothing', async () => {
  const server = await LanguageServer.start();
  const place = join(folder, 'hostile');
  mkdirSync(join(place, '.hadolint.yaml'), { recursive: true });
  symlinkSync('/dev/zero', join(place, '.dockerignore'));
  writeFileSync(join(place, 'here'), '');
  const uri = pathToFileURL(join(place, 'Dockerfile')).href;
  await server.open(uri, 'FROM a\nCOPY here gone /x/\n');
  const { diagnostics } = await server.diagnostics(uri, 1);
  assert.deepEqual(
    diagnostics.map(({ code }) => code),
    ['PinImageTag', 'CopySourceMissing'],
  );
  const told = `${pathToFileURL(place).href}/.hadolint.yaml`;
  await server.awaited(() => Promise.resolve(server.wasPublished(told)));
  await server.stop();
});

test('mistakes in a configuration are shown once, whether it is open or not', async () => {
  for (const pulls of [true, false]) {
    const capabilities = pulls ? { textDocument: { diagnostic: {} } } : {};
    const server = await LanguageServer.start({ capabilities });
    const place = join(folder, `open @ ${String(pulls)}`);
    mkdirSync(place);
    const text = 'strict: true\n';
    writeFileSync(join(place, '.hadolint.yaml'), text);
    const pushed = pathToFileURL(join(place, '.hadolint.yaml')).href;
    const uri = pushed.replace('@', '%40');
    const count = async (address: string): Promise<number> =>
      (await server.diagnostics(address, 1)).diagnostics.length;
    await server.open(pathToFileURL(join(place, 'Dockerfile')).href, 'FROM a:1\n');
    assert.equal(await count(pushed), 1);
    await server.open(uri, text, 'yaml');
    await server.awaited(async () => (await count(pushed)) === 0);
    const textDocument = { uri };
    if (pulls) {
      const own = await server.connection.sendRequest(DocumentDiagnosticRequest.type, {
        textDocument,
      });
      assert.ok(own.kind === 'full' && own.items.length === 1);
    } else assert.equal(await count(uri), 1);
    await server.close(uri);
    await server.awaited(async () => (await count(pushed)) === 1);
    await server.stop();
  }
});

test('a registry is asked only in a trusted workspace, and not when the setting says no', async () => {
  let asked = 0;
  const registry = createServer((_, answer) => {
    asked += 1;
    answer.end(JSON.stringify({ tags: ['7', '8'] }));
  });
  await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
  const image = `127.0.0.1:${String((registry.address() as AddressInfo).port)}/x:`;
  const server = await LanguageServer.start({
    initializationOptions: { settings: { engineLookups: false } },
  });
  const uri = 'file:///trust/Dockerfile';
  await server.open(uri, `FROM ${image}\n`);
  const ask = (): Promise<string[]> => server.labels(uri, at(0, 5 + image.length));
  assert.deepEqual(await ask(), []);
  await delay(100);
  assert.equal(asked, 0);
  await server.connection.sendNotification('pinnace/trust', { trusted: true });
  let found = await ask();
  for (let turn = 0; turn < 200 && found.length === 0; turn++) {
    await delay(20);
    found = await ask();
  }
  assert.deepEqual(found, ['8', '7']);
  await server.connection.sendNotification(DidChangeConfigurationNotification.type, {
    settings: { pinnace: { languageServer: { registryLookups: false, engineLookups: false } } },
  });
  assert.deepEqual(await ask(), []);
  assert.equal(asked, 1);
  await server.stop();
  registry.closeAllConnections();
  registry.close();
});

test('a configuration of the linter is completed, explained and checked as it is written', async () => {
  const server = await LanguageServer.start();
  const uri = pathToFileURL(join(folder, '.hadolint.yaml')).href;
  await server.open(uri, 'ignored:\n  - DL3008\n  - \nstrict: true\n', 'yaml');
  assert.ok((await server.labels(uri, at(2, 4))).includes('DL3001'));
  assert.match(await server.hover(uri, at(1, 6)), /DL3008/);
  const messages = async (version: number): Promise<string[]> =>
    (await server.diagnostics(uri, version)).diagnostics.map(({ message }) =>
      JSON.stringify(message),
    );
  assert.match((await messages(1)).join(), /there is no key 'strict'/);
  await server.change(uri, 2, [{ text: 'ignored: [DL3008]\n' }]);
  assert.deepEqual(await messages(2), []);
  const textDocument = { uri };
  const range = { start: at(0, 0), end: at(0, 0) };
  for (const method of ['documentSymbol', 'codeLens', 'inlayHint', 'documentLink'])
    assert.deepEqual(
      await server.connection.sendRequest(`textDocument/${method}`, { textDocument, range }),
      [],
    );
  await server.stop();
});

test('the command runs the server for any editor', async () => {
  const cli = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
  const node = [process.execPath, '--disable-warning=ExperimentalWarning'];
  const server = await LanguageServer.start({
    command: [...node, cli, 'language-server', '--stdio'],
  });
  const uri = 'file:///cli/Dockerfile';
  assert.equal(server.initialized.serverInfo?.name, 'pinnace');
  await server.open(uri, 'FROM a\n');
  assert.ok((await server.labels(uri, at(1, 0))).includes('COPY'));
  await server.stop();
});

test('the command says how it is to be run', async () => {
  const cli = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
  const args = ['--disable-warning=ExperimentalWarning', cli, 'language-server'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  assert.equal(await new Promise((resolve) => child.once('close', resolve)), 1);
  assert.match(said, /language-server --stdio/);
});
