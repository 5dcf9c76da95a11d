/** What the language server learns from registries: a real one, with TLS and logins, one that hangs, one that must not be asked. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import {
  type CodeAction,
  CodeActionRequest,
  DidChangeConfigurationNotification,
  LogMessageNotification,
} from 'vscode-languageserver/node';
import { type Registry, startRegistry } from '../../scripts/lib/registry.ts';
import { LanguageServer } from '../support/language-server.ts';
import { push } from '../support/registry-content.ts';
import {
  type Authority,
  makeAuthority,
  startTlsRegistry,
  startTokenServer,
  type TlsRegistry,
} from '../support/tls-registry.ts';

const folder = mkdtempSync('/tmp/pinnace-lsp-registry-');
after(() => rmSync(folder, { recursive: true, force: true }));

/** Milliseconds within which an answer comes, whatever registries do. */
const AT_ONCE = 1000;

const uri = 'file:///registry/Dockerfile';
const textDocument = { uri };

/** Ended after each test, however it went. */
const running: LanguageServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

interface Client {
  readonly trusted?: boolean;
  /** An authority that is trusted too. */
  readonly ca?: string;
  /** Takes what the server logs. */
  readonly log?: string[];
}

/** A server whose one document is the text; the cursor is where the | is. */
async function serverWith(
  marked: string,
  settings: Readonly<Record<string, unknown>> = {},
  { trusted = true, ca, log }: Client = {},
): Promise<{ server: LanguageServer; position: { line: number; character: number } }> {
  const server = await LanguageServer.start({
    initializationOptions: { trusted, settings: { engineLookups: false, ...settings } },
    ...(ca === undefined ? {} : { env: { NODE_EXTRA_CA_CERTS: ca } }),
    prepare: (connection) => {
      connection.onNotification(LogMessageNotification.type, ({ message }) => {
        log?.push(message);
      });
    },
  });
  const [before = ''] = marked.split('|');
  const lines = before.split('\n');
  running.push(server);
  await server.open(uri, marked.replace('|', ''));
  return { server, position: { line: lines.length - 1, character: lines.at(-1)?.length ?? 0 } };
}

describe('a real registry', () => {
  let registry: Registry;
  let digest = '';

  before(async () => {
    registry = await startRegistry(join(folder, 'registry'));
    for (const tag of ['1.9', '1.10', 'latest'])
      digest = await push(registry.url, 'fleet/app', tag);
  });
  after(() => registry.stop());

  test('gives repositories, tags and digests to completion', async () => {
    const { address } = registry;
    for (const [marked, wanted] of [
      [`FROM ${address}/|`, [`${address}/fleet/app`]],
      [`FROM ${address}/fleet/app:|`, ['latest', '1.10', '1.9']],
      [`FROM ${address}/fleet/app:latest@|`, [digest]],
      [`FROM a\nCOPY --from=${address}/fleet/app:1|`, ['1.10', '1.9']],
      [
        `ARG B=${address}/fleet/app\nFROM a\nRUN --mount=type=bind,from=${address}/f|`,
        [`${address}/fleet/app`],
      ],
      [`FROM --platform=| ${address}/fleet/app:1.9`, ['linux/amd64', 'linux/arm64']],
    ] as const) {
      const { server, position } = await serverWith(marked);
      let labels: string[] = [];
      await server.awaited(
        async () => {
          labels = (await server.labels(uri, position)).slice(0, wanted.length);
          return labels.join() === wanted.join();
        },
        () => `${marked}: ${labels.join(' ')}`,
      );
    }
  });

  test("gives an image's configuration to hover", async () => {
    const { server, position } = await serverWith(`FROM ${registry.address}/fleet/app:1.9|\n`);
    await server.awaited(async () => (await server.hover(uri, position)).includes('entrypoint'));
    const said = await server.hover(uri, position);
    for (const part of [
      '4.2 MB compressed',
      '`linux/amd64`, `linux/arm64`',
      '2026-02-03',
      'sailor',
      '/work',
      '/entry',
      '80/tcp',
      'TAG=1.9',
    ])
      assert.ok(said.includes(part), `${part} in ${said}`);
  });

  test('gives the digest by which a base image is pinned', async () => {
    const image = `${registry.address}/fleet/app:latest`;
    const { server } = await serverWith(`FROM ${image}\n`);
    const range = { start: { line: 0, character: 6 }, end: { line: 0, character: 6 } };
    const pins = async (): Promise<CodeAction | undefined> => {
      const params = { textDocument, range, context: { diagnostics: [] } };
      const found = await server.connection.sendRequest(CodeActionRequest.type, params);
      return found?.find((action): action is CodeAction => /^Pin /.test(action.title));
    };
    await server.awaited(async () => (await pins()) !== undefined);
    const [edit] = (await pins())?.edit?.changes?.[uri] ?? [];
    assert.ok(edit?.newText.includes(digest));
  });

  test('that does not know an image says nothing, without an error', async () => {
    const { server, position } = await serverWith(`FROM ${registry.address}/none:1|\n`);
    const wait = /looked up/;
    await server.awaited(async () => !wait.test(await server.hover(uri, position)));
    assert.match(await server.hover(uri, position), /none`.*tag `1`"/);
  });
});

describe('a registry behind TLS', () => {
  const storage = join(folder, 'tls');
  let authority: Authority;
  const stops: (() => unknown)[] = [];

  before(async () => {
    authority = makeAuthority(join(folder, 'authority'));
    const plain = await startRegistry(storage);
    try {
      await push(plain.url, 'fleet/app', '1.9');
    } finally {
      await plain.stop();
    }
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  async function serve(auth?: string): Promise<TlsRegistry> {
    const options = auth === undefined ? { authority } : { authority, auth };
    const registry = await startTlsRegistry(storage, options);
    stops.push(() => registry.stop());
    return registry;
  }

  /** Waits until the tags of the image are offered. */
  async function tagsOf({ address }: TlsRegistry, client: Client): Promise<void> {
    const { server, position } = await serverWith(`FROM ${address}/fleet/app:|`, {}, client);
    await server.awaited(
      async () => (await server.labels(uri, position)).includes('1.9'),
      () => client.log?.join('; ') ?? '',
    );
  }

  /** Waits until something is logged about the image's tags, while every answer comes at once. */
  async function refusalOf({ address }: TlsRegistry, client: Client): Promise<string> {
    const log: string[] = [];
    const marked = `FROM ${address}/fleet/app:|`;
    const { server, position } = await serverWith(marked, {}, { ...client, log });
    await server.awaited(async () => {
      const started = performance.now();
      assert.ok(!(await server.labels(uri, position)).includes('1.9'));
      await server.hover(uri, { line: 0, character: 8 });
      assert.ok(performance.now() - started < AT_ONCE);
      return log.some((line) => line.includes('registry: '));
    });
    for (let turn = 0; turn < 3; turn++) await server.labels(uri, position);
    const told = log.filter((line) => line.includes('registry: '));
    assert.equal(new Set(told).size, told.length, 'nothing is told twice');
    return told.join('\n');
  }

  test('is read where its authority is trusted', async () => {
    const registry = await serve();
    await tagsOf(registry, { ca: authority.ca, log: [] });
  });

  test('whose authority is not trusted is told, with the way out', async () => {
    const registry = await serve();
    assert.match(
      await refusalOf(registry, {}),
      /127\.0\.0\.1:\d+ has a certificate that is not trusted \(\w+\); name its .* NODE_EXTRA_CA_CERTS/,
    );
  });

  test('that gives tokens to everybody is read with one', async () => {
    const tokens = await startTokenServer(authority);
    stops.push(() => {
      tokens.stop();
    });
    const registry = await serve(tokens.auth);
    await tagsOf(registry, { ca: authority.ca, log: [] });
    assert.ok(tokens.asked.includes('repository:fleet/app:pull'), tokens.asked.join());
  });

  test('that wants a login is told, and holds nothing up', async () => {
    const users = join(storage, 'users');
    writeFileSync(users, 'a:$2y$05$abcdefghijklmnopqrstuuQDoL5Sa/TtfS/XN4AY/jgq.HBbO1BTu\n');
    const registry = await serve(`{htpasswd: {realm: test, path: ${users}}}`);
    assert.match(
      await refusalOf(registry, { ca: authority.ca }),
      /127\.0\.0\.1:\d+ wants a login for fleet\/app/,
    );
  });
});

/** Asks everything that a registry could be asked for. */
async function askAll(server: LanguageServer, image: string): Promise<void> {
  const text = `FROM ${image}\nFROM ${image}:\nFROM ${image}:1@\nFROM ${image.split('/')[0] ?? ''}/\n`;
  await server.open(uri, text);
  for (const [line, whole] of text.trimEnd().split('\n').entries()) {
    const position = { line, character: whole.length };
    await server.labels(uri, position);
    await server.hover(uri, position);
    const range = { start: position, end: position };
    const params = { textDocument, range, context: { diagnostics: [] } };
    await server.connection.sendRequest(CodeActionRequest.type, params);
  }
}

describe('a registry that hangs', () => {
  const sockets = new Set<Socket>();
  const registry = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  before(() => new Promise<void>((resolve) => void registry.listen(0, '127.0.0.1', resolve)));
  after(() => {
    for (const socket of sockets) socket.destroy();
    registry.close();
  });

  test('holds no answer up, and is not asked again and again', async () => {
    const image = `127.0.0.1:${String((registry.address() as AddressInfo).port)}/x`;
    const { server } = await serverWith('FROM a|\n');
    const started = performance.now();
    for (let turn = 0; turn < 5; turn++) await askAll(server, image);
    const took = performance.now() - started;
    assert.ok(took < 5 * AT_ONCE, `it took ${String(Math.round(took))} ms`);
    await server.awaited(() => Promise.resolve(sockets.size > 0));
    // One for each thing that was asked for: tags, repositories, and three images' configurations.
    assert.ok(sockets.size <= 6, `${String(sockets.size)} connections`);
  });
});

describe('a registry that must not be asked', () => {
  let asked = 0;
  const paths: string[] = [];
  let registry: Server;
  before(async () => {
    registry = createServer(({ url = '' }, answer) => {
      asked += 1;
      paths.push(url);
      answer.statusCode = 404;
      answer.end('{}');
    });
    await new Promise<void>((resolve) => void registry.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    registry.closeAllConnections();
    registry.close();
  });
  const image = (): string => `127.0.0.1:${String((registry.address() as AddressInfo).port)}/x`;

  test('hears nothing before the workspace is trusted', async () => {
    asked = 0;
    const { server } = await serverWith('FROM a|\n', {}, { trusted: false });
    await askAll(server, image());
    await askAll(server, image());
    assert.equal(asked, 0);
    await server.connection.sendNotification('pinnace/trust', { trusted: true });
    await askAll(server, image());
    await server.awaited(() => Promise.resolve(asked > 0));
  });

  test('hears nothing of a name while it is written', async () => {
    const { server } = await serverWith('FROM a|\n');
    paths.length = 0;
    const wait = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 50));
    for (const [index, end] of ['x', 'xy', 'xyz', 'xyz:1', 'xyz:12'].entries()) {
      const text = `FROM ${image().slice(0, -1)}${end}\n`;
      await server.change(uri, index + 2, [{ text }]);
      const range = { start: { line: 0, character: 6 }, end: { line: 0, character: 6 } };
      const params = { textDocument, range, context: { diagnostics: [] } };
      await server.connection.sendRequest(CodeActionRequest.type, params);
      await wait();
    }
    await server.awaited(() => Promise.resolve(paths.length > 0));
    await wait();
    assert.deepEqual(paths, ['/v2/xyz/manifests/12']);
  });

  test('hears nothing when the setting says no, and when it comes to say so', async () => {
    asked = 0;
    const { server } = await serverWith('FROM a|\n', { registryLookups: false });
    await askAll(server, image());
    assert.equal(asked, 0);
    await server.connection.sendNotification(DidChangeConfigurationNotification.type, {
      settings: { pinnace: { languageServer: { engineLookups: false, registryLookups: 'yes' } } },
    });
    await askAll(server, image());
    await server.awaited(() => Promise.resolve(asked > 0));
    await server.connection.sendNotification(DidChangeConfigurationNotification.type, {
      settings: { pinnace: { languageServer: { engineLookups: false, registryLookups: false } } },
    });
    await askAll(server, image());
    const before = asked;
    await askAll(server, image().replace('/x', '/y'));
    await askAll(server, image().replace('/x', '/z'));
    assert.equal(asked, before);
  });
});
