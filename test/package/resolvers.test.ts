/** The package for editors that allow the proposed API `resolvers`: its manifest, and the whole way of a window into a container with its own code; only the desktop editor itself is not there. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { type Manifest, RESOLVERS } from '../../scripts/lib/variants.ts';
import { packageApart } from '../../scripts/lib/vsix.ts';
import { ensureHost, HOST_NODE } from '../../scripts/lib/workbench.ts';
import { readProduct } from '../../src/client/vscode-server/product.ts';
import { targetOf } from '../../src/extension/resolver/authority.ts';
import { command, ROOT, startTestEngine, type TestEngine } from '../support/engine.ts';
import type { DesktopEvent, DesktopSetup } from '../support/desktop.ts';

const SERVER = join(ROOT, 'test/workbench/host/node_modules/code-server/lib/vscode');

let engine: TestEngine;
/** In the checkout, so that the server's files are linked instead of copied. */
let dir: string;
let unpacked: string;
let folder: string;

before(async () => {
  await Promise.all([ensureHost(), makeImages(['debian:bookworm-slim'])]);
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  dir = mkdtempSync(join(ROOT, '.cache', 'resolvers-'));
  const vsix = await packageApart(join(dir, 'stage'), RESOLVERS);
  unpacked = join(dir, 'unpacked');
  execFileSync('python3', ['-m', 'zipfile', '-e', vsix, unpacked]);
  // Python's archiver does not set modes; the editor does.
  for (const program of ['pinnace-native', 'busybox'])
    chmodSync(join(unpacked, 'extension', 'out', 'native', program), 0o755);
  engine = await startTestEngine('system');
  await engine.docker('load', '-q', '-i', archiveOf('debian:bookworm-slim'));
  layEditor();
  folder = join(dir, 'shop');
  mkdirSync(join(folder, '.devcontainer'), { recursive: true });
  writeFileSync(
    join(folder, '.devcontainer', 'devcontainer.json'),
    JSON.stringify({
      image: 'debian:bookworm-slim',
      postCreateCommand: 'touch created',
      postAttachCommand: 'touch attached',
    }),
  );
});

after(async () => {
  rmSync(dir, { recursive: true, force: true });
  const left = await engine.close();
  assert.deepEqual(left, []);
});

test('its manifest differs from the ordinary one in what a resolver needs, and in nothing else', () => {
  const read = (path: string): Manifest => JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const ordinary = read(join(ROOT, 'package.json'));
  const made = RESOLVERS.manifest(ordinary);
  const changed = Object.keys({ ...ordinary, ...made }).filter(
    (key) => JSON.stringify(ordinary[key]) !== JSON.stringify(made[key]),
  );
  const expected = ['activationEvents', 'contributes', 'enabledApiProposals', 'extensionKind'];
  assert.deepEqual(changed.toSorted(), expected);
  const packaged = read(join(unpacked, 'extension', 'package.json'));
  for (const key of expected.filter((name) => name !== 'contributes'))
    assert.deepEqual(packaged[key], made[key]);
  assert.deepEqual(packaged['enabledApiProposals'], ['resolvers']);
  assert.equal(ordinary['enabledApiProposals'], undefined);
  assert.ok(packaged.contributes['resourceLabelFormatters'] !== undefined);
});

let authority = '';

test('Reopen in Container makes the container and opens the window of its authority', async () => {
  const events = await desktop({
    folder: { path: folder },
    steps: [{ command: 'pinnace.devcontainer.reopen', argument: folder }],
  });
  const opened = events.find(
    (event) => event.kind === 'execute' && event.id === 'vscode.openFolder',
  );
  assert.ok(opened?.kind === 'execute', JSON.stringify(events));
  const [uri, options] = opened.args as [Record<string, string>, unknown];
  assert.equal(uri['scheme'], 'vscode-remote');
  assert.equal(uri['path'], '/workspaces/shop');
  assert.deepEqual(options, { forceReuseWindow: true });
  authority = uri['authority'] ?? '';
  assert.deepEqual(targetOf(authority), { folder, engine: 'pinnace' });
  assert.ok(existsSync(join(folder, 'created')));
  assert.ok(!existsSync(join(folder, 'attached')), 'nobody is attached before the window is there');
});

test('that window is led into the container, and can be left for the folder again', async () => {
  const events = await desktop({
    folder: { path: '/workspaces/shop', authority },
    steps: [
      { resolve: authority },
      { file: join(folder, 'attached') },
      { command: 'pinnace.devcontainer.reopenLocally' },
    ],
  });
  const resolved = events.find(({ kind }) => kind === 'resolved');
  // postAttachCommand has run too: its file was waited for.
  assert.deepEqual(resolved, { kind: 'resolved', appRoot: '/.pinnace/server' });
  const left = events.find((event) => event.kind === 'execute' && event.id === 'vscode.openFolder');
  assert.ok(left?.kind === 'execute', JSON.stringify(events));
  const [uri, options] = left.args as [Record<string, string>, Record<string, unknown>];
  assert.deepEqual([uri['scheme'], uri['path']], ['file', folder]);
  assert.equal(options['forceLocalWindow'], true);
});

test('a window whose container is gone says so, and one whose server cannot be had may try again', async () => {
  const id = await engine.docker('ps', '-aq');
  rmSync(join(dir, 'home', '.vscode-server-oss'), { recursive: true });
  const offline = await desktop({
    folder: { path: '/workspaces/shop', authority },
    settings: { 'pinnace.devcontainer.serverDownloadUrl': 'http://127.0.0.1:1/${commit}.tar.gz' },
    steps: [{ resolve: authority }],
  });
  const first = offline.find((event) => event.kind === 'refused');
  assert.ok(first?.kind === 'refused', JSON.stringify(offline));
  assert.match(first.message, /127\.0\.0\.1:1\/[0-9a-f]{40}\.tar\.gz[^]*serverDownloadUrl/);
  assert.equal(first.temporary, true);
  await engine.docker('rm', '-f', id);
  const gone = await desktop({
    folder: { path: '/workspaces/shop', authority },
    steps: [{ resolve: authority }],
  });
  const second = gone.find((event) => event.kind === 'refused');
  assert.ok(second?.kind === 'refused', JSON.stringify(gone));
  assert.match(second.message, /choose Reopen in Container/);
  assert.equal(second.temporary, false);
});

test('an editor that does not allow the API is told how to, where it is asked for', async () => {
  const events = await desktop({
    folder: { path: folder },
    proposals: 'refused',
    settings: { 'pinnace.devcontainer.open': 'resolver' },
    steps: [{ command: 'pinnace.devcontainer.reopen', argument: folder }],
  });
  const error = events.find(({ kind }) => kind === 'error');
  assert.ok(error?.kind === 'error', JSON.stringify(events));
  assert.match(error.message, /enable-proposed-api[^]*pinnace\.pinnace/);
});

interface Run extends Pick<DesktopSetup, 'folder' | 'steps'> {
  readonly proposals?: DesktopSetup['proposals'];
  readonly settings?: DesktopSetup['settings'];
}

/** Answers what the extension did; the process must have come to its end. */
async function desktop({
  settings = {},
  proposals = 'allowed',
  ...run
}: Run): Promise<DesktopEvent[]> {
  const setup: DesktopSetup = {
    extension: join(unpacked, 'extension'),
    appRoot: join(dir, 'editor'),
    proposals,
    settings: {
      'pinnace.engine.dataRoot': engine.dataRoot,
      'pinnace.engine.runRoot': engine.runRoot,
      ...settings,
    },
    folder: run.folder,
    steps: run.steps,
  };
  const script = join(ROOT, 'test', 'support', 'desktop.ts');
  const result = await command(
    [process.execPath, '--disable-warning=ExperimentalWarning', script],
    { env: { DESKTOP: JSON.stringify(setup), ...environment() }, timeout: 90_000 },
  );
  const events = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as DesktopEvent);
  assert.equal(events.at(-1)?.kind, 'done', `${result.stdout}\n${result.stderr.slice(-3000)}`);
  return events;
}

function environment(): Record<string, string> {
  const home = join(dir, 'home');
  return { HOME: home, XDG_DATA_HOME: '', XDG_CACHE_HOME: '', XDG_CONFIG_HOME: '' };
}

/** A desktop editor's own files, and the server of its commit where another extension has put it. */
function layEditor(): void {
  mkdirSync(join(dir, 'editor'));
  writeFileSync(join(dir, 'editor', 'product.json'), readFileSync(join(SERVER, 'product.json')));
  const { commit, serverDataFolder } = readProduct(SERVER);
  const place = join(dir, 'home', serverDataFolder ?? '', 'bin');
  mkdirSync(place, { recursive: true });
  execFileSync('cp', ['-al', SERVER, join(place, commit)]);
  linkSync(HOST_NODE, join(place, commit, 'node'));
}
