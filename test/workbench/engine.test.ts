/** The engine in the editor: welcome texts, start and stop, the status bar's menu, the doctor's page, and other engines in the Engines view. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { startDockerd, type Dockerd } from '../support/dockerd.ts';
import { command } from '../support/engine.ts';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

let dir: string;
let dockerd: Dockerd | undefined;
const address = (): string => `unix://${dir}/docker.sock`;
before(async () => {
  dir = mkdtempSync('/tmp/pinnace-docker-');
  dockerd = await startDockerd(dir);
  assert.ok(dockerd, 'install docker.io: its dockerd is needed');
  const env = { DOCKER_HOST: address() };
  const loaded = await command(['docker', 'load', '-i', archiveOf('busybox:latest')], { env });
  assert.equal(loaded.status, 0, loaded.stderr);
  await command(['docker', 'create', '--name', 'harbour', 'busybox'], { env });
});
after(async () => {
  await dockerd?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const { test } = withWorkbench({ folder: 'examples/todo' });

test('without an engine the trees say so and offer its start', async ({ workbench }) => {
  const sideBar = await workbench.activityBar.open('Pinnace');
  await workbench.statusBar.item(/Pinnace/).waitFor();
  const containers = await sideBar.view('Containers');
  assert.match(await containers.welcome(), /The Pinnace engine is not running/);
  await containers.welcomeAct('Start Engine');
  await until('the welcome of an empty engine', async () =>
    (await containers.welcome()).includes('No containers yet.'),
  );
});

test('the status bar counts running containers, and its menu stops the engine', async (bench) => {
  const { workbench, docker } = bench;
  await docker('load', '-q', '-i', archiveOf('busybox:latest'));
  await docker('run', '-d', '--network', 'none', '--name', 'box', 'busybox', 'sleep', '600');
  await workbench.statusBar.item(/Pinnace\s*1/).waitFor();
  await docker('rm', '-f', 'box');
  await workbench.statusBar.item(/Pinnace\s*$/).waitFor();
  await workbench.statusBar.press(/Pinnace/);
  const entries = await workbench.quickInput.entries();
  assert.match(entries.join('\n'), /Stop Engine.*Choose Engine.*Doctor/s);
  await workbench.quickInput.pick('Stop Engine');
  const containers = await (await workbench.activityBar.open('Pinnace')).view('Containers');
  await until('the welcome of a stopped engine', async () =>
    (await containers.welcome()).includes('is not running'),
  );
});

test('an engine that another client starts is noticed', async ({ workbench, pinnace }) => {
  const started = await pinnace('engine', 'start');
  assert.equal(started.status, 0, started.stderr);
  // By command: the hover of the status bar may lie above the view.
  await workbench.command('Pinnace: Focus on Engines View');
  const engines = await (await workbench.activityBar.open('Pinnace')).view('Engines');
  await engines.tree.settled('the running engine', (rows) =>
    rows.some((row) => /^Pinnace \d.*in use/.test(row)),
  );
});

test('the doctor shows its findings and checks again', async ({ workbench }) => {
  await workbench.command('Pinnace: Doctor: Check This Machine');
  const page = await workbench.webview.content('li.ok');
  assert.match(await page.locator('.mode').innerText(), /mode (system|rootless|single-id)/);
  assert.ok((await page.locator('li').count()) >= 5);
  await page.getByRole('button', { name: 'Copy Report' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  await page.getByRole('button', { name: 'Check Again' }).click();
  await page.locator('li.ok').first().waitFor();
});

test('a Docker engine is added, used, and taken out again', async ({ workbench }) => {
  const { quickInput, dialog, statusBar } = workbench;
  await workbench.command('Pinnace: Add Engine…');
  await quickInput.enter('ssh://-oProxyCommand=x');
  await until('the complaint', async () =>
    (await quickInput.message()).includes('not an ssh address'),
  );
  await quickInput.enter(address());
  await until('the question for the name', async () => (await quickInput.title()).includes('Name'));
  await quickInput.enter('Harbour');
  await statusBar.item(/Harbour/).waitFor();
  const sideBar = await workbench.activityBar.open('Pinnace');
  const containers = await sideBar.view('Containers');
  await containers.tree.settled('the container of dockerd', (rows) =>
    rows.some((row) => row.includes('harbour')),
  );
  const engines = (await sideBar.view('Engines')).tree;
  const row = await engines.row(/Harbour/).waitFor();
  assert.match(await row.accessibleName(), /Harbour.*in use/);
  await engines.row(/^Pinnace/).act('Choose Engine');
  await statusBar.item(/Pinnace/).waitFor();
  await (await row.contextMenu()).choose('Remove Engine from List');
  await dialog.press('Remove');
  await engines.settled(
    'the row is gone',
    (rows) => !rows.some((text) => text.includes('Harbour')),
  );
});
