/** Open folder in container, end to end in a browser: explorer, terminal, files and their owner, an extension inside, and the window after the engine was killed. */
import assert from 'node:assert/strict';
import { chownSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { typed, wholeText, windowOf } from './parts/inside.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import type { Workbench } from './parts/workbench.ts';
import { withWorkbench } from './rig.ts';

const OWNER = 4321;

const { test } = withWorkbench({
  folder: makeFolder,
  engine: { images: ['debian:bookworm-slim', 'busybox:latest'] },
});

let inner: Workbench | undefined;

test('a folder with a devcontainer.json is offered its container', async ({ workbench }) => {
  const { element: offer } = await new NotificationCenter(workbench.page).awaited(
    /has a dev container configuration/,
  );
  for (const name of ['Reopen in Container', "Don't Show Again"])
    await offer.getByRole('button', { name }).waitFor();
  await offer.click();
  await workbench.page.keyboard.press('Escape');
});

test('the folder opens in its container, with its files', async ({ workbench, docker, dir }) => {
  inner = await windowOf(workbench, () => workbench.command('Pinnace: Reopen in Container'));
  await inner.page
    .getByRole('treeitem', { name: /hello\.txt/ })
    .first()
    .waitFor();
  assert.match(await docker('ps', '--format', '{{.Image}}'), /debian:bookworm-slim/);
  await inner.screenshot(join(dir, 'inner.png'));
});

test('its terminal is in the container', async ({ docker, folder }) => {
  assert.ok(inner);
  await inner.terminal.create();
  const where = await typed(
    inner,
    'echo "$(hostname) $(id -un) $PWD" > where.txt',
    join(folder, 'where.txt'),
  );
  const id = await docker('ps', '-q');
  assert.equal(where.trim(), `${id} root /workspaces/folder`);
});

test('what is saved there belongs to the owner of the folder', async ({ folder }) => {
  assert.ok(inner);
  await inner.editor.open('hello.txt');
  await inner.page.keyboard.press('Control+End');
  await inner.page.keyboard.type('and more');
  await inner.page.keyboard.press('Control+S');
  await until('the file is saved', () =>
    Promise.resolve(readFileSync(join(folder, 'hello.txt'), 'utf8').includes('and more')),
  );
  assert.equal(statSync(join(folder, 'hello.txt')).uid, OWNER);
  await typed(inner, 'echo made > made.txt', join(folder, 'made.txt'));
  assert.equal(statSync(join(folder, 'made.txt')).uid, OWNER);
});

test('an extension that the configuration names runs inside', async ({ folder, docker }) => {
  const ran = await until('it has run', () => wholeText(join(folder, 'ran.txt')));
  assert.equal(ran, `${await docker('ps', '-q')}\n`);
});

test('the window goes on after the engine was killed', async ({ folder, pinnace, docker }) => {
  assert.ok(inner);
  const before = await docker('ps', '-q');
  const { pid } = JSON.parse((await pinnace('engine', 'status', '--json')).stdout) as {
    pid: number;
  };
  process.kill(pid, 'SIGKILL');
  await inner.reload();
  await inner.terminal.create();
  assert.equal(
    (await typed(inner, 'hostname > again.txt', join(folder, 'again.txt'))).trim(),
    before,
  );
});

test('the view shows the dev container and its state', async ({ workbench }) => {
  await workbench.page.bringToFront();
  await workbench.activityBar.open('Pinnace');
  const row = workbench.page.getByRole('treeitem', { name: /dev container of .*folder, running/ });
  await row.waitFor();
});

test('rebuilding makes it anew and opens it again', async ({ workbench, docker }) => {
  const before = await docker('ps', '-q');
  inner = await windowOf(workbench, () => workbench.command('Pinnace: Rebuild Container'));
  assert.notEqual(await docker('ps', '-q'), before);
});

async function makeFolder(folder: string): Promise<void> {
  mkdirSync(join(folder, '.devcontainer'), { recursive: true });
  writeFileSync(join(folder, 'hello.txt'), 'hello\n');
  const vsix = join(folder, '.devcontainer', 'probe.vsix');
  await makeExtension(vsix);
  writeFileSync(
    join(folder, '.devcontainer', 'devcontainer.json'),
    JSON.stringify({
      image: 'debian:bookworm-slim',
      customizations: { vscode: { extensions: ['.devcontainer/probe.vsix'] } },
    }),
  );
  for (const path of ['', 'hello.txt', '.devcontainer', '.devcontainer/devcontainer.json'])
    chownSync(join(folder, path), OWNER, OWNER);
}

/** An extension that writes the host's name into the folder. */
async function makeExtension(vsix: string): Promise<void> {
  const cwd = `${vsix}.d`;
  mkdirSync(cwd);
  writeFileSync(
    join(cwd, 'package.json'),
    JSON.stringify({
      name: 'probe',
      publisher: 'pinnace',
      version: '0.0.1',
      engines: { vscode: '^1.100.0' },
      main: './main.js',
      activationEvents: ['onStartupFinished'],
      repository: 'https://example.invalid/probe',
    }),
  );
  writeFileSync(join(cwd, 'README.md'), '# A probe\n');
  writeFileSync(join(cwd, 'LICENSE'), 'none\n');
  writeFileSync(
    join(cwd, 'main.js'),
    `exports.activate = () => {
      const folder = require('vscode').workspace.workspaceFolders[0].uri.fsPath;
      require('fs').writeFileSync(folder + '/ran.txt', require('os').hostname() + '\\n');
    };`,
  );
  await createVSIX({ cwd, packagePath: vsix, dependencies: false });
  rmSync(cwd, { recursive: true, force: true });
}
