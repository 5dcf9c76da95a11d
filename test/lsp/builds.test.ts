/** What the language server tells of builds: from an engine that answers as written here, and from a real one. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  type ClientCapabilities,
  type CodeLens,
  CodeLensRequest,
  DidChangeConfigurationNotification,
  ExecuteCommandRequest,
  type InlayHint,
  InlayHintRefreshRequest,
  InlayHintRequest,
} from 'vscode-languageserver/node';
import { createClient } from '../../src/client/api/client.ts';
import { buildContext } from '../../src/client/build/context.ts';
import type { BuildPlan, BuildRecord, BuildStep } from '../../src/lib/api/builds.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { LanguageServer } from '../support/language-server.ts';

const folder = mkdtempSync('/tmp/pinnace-lsp-builds-');
after(() => rmSync(folder, { recursive: true, force: true }));

const CAPABILITIES: ClientCapabilities = {
  workspace: { inlayHint: { refreshSupport: true }, codeLens: { refreshSupport: true } },
};
const CHANGED = 'pinnace.languageServer.buildsChanged';
const WHOLE = { start: { line: 0, character: 0 }, end: { line: 1000, character: 0 } };

async function hintsOf(server: LanguageServer, uri: string): Promise<string[]> {
  const params = { textDocument: { uri }, range: WHOLE };
  const found: InlayHint[] | null = await server.connection.sendRequest(
    InlayHintRequest.type,
    params,
  );
  return (found ?? []).map(
    ({ label, position }) => `${String(position.line)}: ${JSON.stringify(label).slice(1, -1)}`,
  );
}

async function lensesOf(server: LanguageServer, uri: string): Promise<CodeLens[]> {
  const params = { textDocument: { uri } };
  return (await server.connection.sendRequest(CodeLensRequest.type, params)) ?? [];
}

/** Asks until the answer is good; the server fetches in the background. */
async function until<T>(ask: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  let value = await ask();
  for (let turn = 0; turn < 400 && !good(value); turn++) {
    await delay(50);
    value = await ask();
  }
  return value;
}

const TEXT = `FROM busybox AS base
RUN make one
FROM base AS final
RUN make two
ENV A=1
COPY . /app
`;

function stepOf(at: number, text: string, more: Partial<BuildStep> = {}): BuildStep {
  const stage = at < 2 ? 0 : 1;
  return {
    index: at,
    number: at + 1,
    stage,
    stageName: stage === 0 ? 'base' : 'final',
    text,
    startLine: at + 1,
    endLine: at + 1,
    outcome: 'ran',
    reason: null,
    ms: 1200,
    size: 4_200_000,
    logTail: '',
    ...more,
  };
}

const STEPS = TEXT.trimEnd()
  .split('\n')
  .map((line, at) => stepOf(at, line));

describe('with an engine that remembers a build', () => {
  const path = join(folder, 'Dockerfile');
  const uri = pathToFileURL(path).href;
  const socket = join(folder, 'fake.sock');
  const asked: string[] = [];
  let plan: BuildPlan | undefined;
  let engine: Server;
  let server: LanguageServer;

  before(async () => {
    const record: BuildRecord = {
      id: 'b1',
      started: new Date(Date.now() - 7_200_000).toISOString(),
      durationMs: 12_000,
      status: 'succeeded',
      dockerfile: path,
      context: folder,
      target: '',
      tags: ['a'],
      argNames: [],
      platform: '',
      image: '',
      error: null,
      steps: 6,
      cached: 2,
      stepList: STEPS.map((step) => (step.index === 3 ? { ...step, outcome: 'cached' } : step)),
    };
    engine = createServer((request, answer) => {
      const at = (request.url ?? '').replace(/^\/v[\d.]+/, '');
      asked.push(`${request.method ?? ''} ${at}`);
      const known =
        at === '/pinnace/builds' ? [record] : at === '/pinnace/builds/b1' ? record : plan;
      request.resume().on('end', () => {
        answer.statusCode = known === undefined ? 501 : 200;
        answer.end(JSON.stringify(known ?? { message: 'planned' }));
      });
    });
    await new Promise<void>((resolve) => engine.listen(socket, resolve));
    server = await LanguageServer.start({
      capabilities: CAPABILITIES,
      initializationOptions: { engineSocket: socket, buildCommands: true },
    });
    await server.open(uri, TEXT);
  });
  after(async () => {
    await server.stop();
    engine.closeAllConnections();
    engine.close();
  });

  test('hints come without waiting, and a refresh tells when there are some', async () => {
    const refreshed = new Promise<void>((resolve) =>
      server.connection.onRequest(InlayHintRefreshRequest.type, () => resolve()),
    );
    assert.deepEqual(await hintsOf(server, uri), []);
    await refreshed;
    const hints = await until(
      () => hintsOf(server, uri),
      (found) => found.length === 3,
    );
    assert.deepEqual(hints, ['1: 4.2 MB · 1.2 s', '3: 4.2 MB · 1.2 s', '5: 4.2 MB · 1.2 s']);
  });

  test('lenses say the last build, and build where the client can', async () => {
    const lenses = await until(
      () => lensesOf(server, uri),
      (found) => found.length === 7,
    );
    const seen = lenses.map(({ range, command }) => [
      range.start.line,
      command?.title,
      command?.command,
    ]);
    assert.deepEqual(seen, [
      [0, 'Build Image', 'pinnace.build.image'],
      [0, 'Build to This Stage', 'pinnace.build.image'],
      [0, 'Run This Stage', 'pinnace.build.runStage'],
      [0, 'Shell Here', 'pinnace.build.shellInStage'],
      [2, 'Run This Stage', 'pinnace.build.runStage'],
      [2, 'Shell Here', 'pinnace.build.shellInStage'],
      [0, 'Last build: 12 s, 2 of 6 steps cached, 2 h ago', 'pinnace.build.open'],
    ]);
    assert.deepEqual(lenses[1]?.command?.arguments, [{ dockerfile: path, target: 'base' }]);
    assert.deepEqual(lenses[5]?.command?.arguments, [{ dockerfile: path, target: '' }]);
  });

  test('behind a change in a stage nothing is told, nor in the stages that need it', async () => {
    const line = (at: number) => ({
      start: { line: at, character: 0 },
      end: { line: at, character: 3 },
    });
    await server.change(uri, 2, [{ range: line(3), text: 'RUN x &&' }]);
    assert.deepEqual(await hintsOf(server, uri), ['1: 4.2 MB · 1.2 s']);
    await server.change(uri, 3, [{ range: line(1), text: 'RUN x &&' }]);
    assert.deepEqual(await hintsOf(server, uri), []);
    await server.change(uri, 4, [{ text: TEXT }]);
  });

  test('a plan says what will be built anew, and the first of a stage why', async () => {
    const planned = (
      at: number,
      cached: BuildPlan['steps'][number]['cached'],
      reason = '',
    ): BuildPlan['steps'][number] => {
      const { number, stage, text, startLine, endLine } = STEPS[at] ?? stepOf(at, '');
      return { number, stage, text, startLine, endLine, cached, reason, ms: 2000, size: null };
    };
    const steps = [
      planned(1, 'yes'),
      planned(3, 'no', 'Its words changed.'),
      planned(5, 'no', 'x'),
    ];
    plan = { steps, problem: null, missingImages: [] };
    await server.connection.sendRequest(ExecuteCommandRequest.type, {
      command: CHANGED,
      arguments: [{ socket }],
    });
    const hints = await until(
      () => hintsOf(server, uri),
      (found) => found.some((hint) => hint.includes('rebuild')),
    );
    assert.deepEqual(hints, [
      '1: 2.0 s · cached',
      '3: 2.0 s · will rebuild: Its words changed',
      '5: 2.0 s · will rebuild',
    ]);
  });

  test('typing asks the engine for a plan only, and other commands are refused', async () => {
    const before = asked.filter((line) => line.startsWith('GET')).length;
    await server.change(uri, 5, [{ text: `${TEXT}# more\n` }]);
    await hintsOf(server, uri);
    await hintsOf(server, uri);
    assert.equal(asked.filter((line) => line.startsWith('GET')).length, before);
    const unknown = { command: 'other', arguments: [] };
    await assert.rejects(
      server.connection.sendRequest(ExecuteCommandRequest.type, unknown),
      /other/,
    );
  });

  test('settings turn both off', async () => {
    const settings = { pinnace: { languageServer: { inlayHints: false, codeLenses: false } } };
    await server.connection.sendNotification(DidChangeConfigurationNotification.type, { settings });
    assert.deepEqual(await hintsOf(server, uri), []);
    assert.deepEqual(await lensesOf(server, uri), []);
  });
});

test('a client without the commands is offered none, and nobody is asked when lookups are off', async () => {
  const server = await LanguageServer.start({
    initializationOptions: { settings: { engineLookups: false } },
  });
  const uri = pathToFileURL(join(folder, 'none', 'Dockerfile')).href;
  await server.open(uri, TEXT);
  assert.deepEqual(await lensesOf(server, uri), []);
  assert.deepEqual(await hintsOf(server, uri), []);
  await server.stop();
});

describe('with a real engine', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startTestEngine('system');
  });
  after(async () => {
    assert.deepEqual(await engine.close(), []);
  });

  test('the build of a file is told in it, and what an edit makes anew', async () => {
    const path = join(folder, 'real.Dockerfile');
    const text =
      'FROM scratch AS files\nCOPY busybox /bin/sh\nRUN exec 3>/one\nFROM scratch\nENV A=1\nCOPY --from=files / /\nCOPY real.txt /c\n';
    writeFileSync(path, text);
    copyFileSync('/bin/busybox', join(folder, 'busybox'));
    writeFileSync(join(folder, 'real.txt'), 'x'.repeat(5000));
    const engineSocket = engine.address.replace('unix://', '');
    const client = createClient({ socketPath: engineSocket });
    const { tar, dockerfile } = buildContext(folder, path);
    const query = { dockerfile, recordContext: folder, recordDockerfile: path };
    for await (const message of client.images.build(tar, query)) assert.ok(message);
    client.close();
    const server = await LanguageServer.start({
      capabilities: CAPABILITIES,
      initializationOptions: { engineSocket },
    });
    const uri = pathToFileURL(path).href;
    await server.open(uri, text);
    const hints = await until(
      () => hintsOf(server, uri),
      (found) => found.length === 4 && found.every((hint) => hint.includes('cached')),
    );
    assert.match(hints.join('\n'), /^1: .*cached\n2: .*cached\n5: .*cached\n6: 5 kB.*cached$/);
    await server.change(uri, 2, [{ text: text.replace('3>/one', '3>/two') }]);
    const later = await until(
      () => hintsOf(server, uri),
      (found) => found.some((hint) => hint.includes('will rebuild')),
    );
    assert.match(later.join('\n'), /^1: .*cached\n2: .*will rebuild: /);
    const [lens] = await lensesOf(server, uri);
    assert.match(lens?.command?.title ?? '', /^Last build: .* just now$/);
    await server.stop();
  });
});
