/** The commands of dev containers in the real editor: a first configuration, Open Folder, Attach by row and palette, Reopen Locally; and several containers in one browser. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { windowOf } from './parts/inside.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import { type Bench, withWorkbench } from './rig.ts';

const ADD = 'Pinnace: Add Dev Container Configuration Files…';
const SHOTS = process.env['PINNACE_SHOTS'];

const { test } = withWorkbench({
  folder: (folder) => writeFileSync(join(folder, 'Dockerfile'), 'FROM busybox:latest\n'),
  engine: { images: ['busybox:latest'] },
});

test('a first configuration is written from what the folder holds, and opens', async (bench) => {
  const { workbench, folder, docker } = bench;
  await workbench.command(ADD);
  const labels = await workbench.quickInput.entries();
  assert.deepEqual(labels.slice(0, 2), ['From Dockerfile', 'Debian']);
  if (SHOTS !== undefined) await workbench.screenshot(join(SHOTS, 'templates.png'));
  await workbench.quickInput.pick('From Dockerfile');
  const told = await new NotificationCenter(workbench.page).awaited(/Wrote/);
  const text = readFileSync(join(folder, '.devcontainer', 'devcontainer.json'), 'utf8');
  assert.deepEqual(JSON.parse(text.slice(text.indexOf('{'))), {
    name: 'folder',
    build: { dockerfile: '../Dockerfile', context: '..' },
    customizations: { vscode: { extensions: [] } },
  });
  const inner = await windowOf(workbench, () => told.press('Reopen in Container'));
  const name = await docker('ps', '--format', '{{.Names}}');
  await until('its title names the container', async () =>
    (await inner.page.title()).includes(`folder - [${name}]`),
  );
  assert.match(await docker('ps', '--format', '{{.Image}}'), /^pinnace-dev-folder-/);
});

test('a configuration that is there is never written over', async ({ workbench, folder }) => {
  const file = join(folder, '.devcontainer', 'devcontainer.json');
  const before = readFileSync(file, 'utf8');
  await workbench.command(ADD);
  await new NotificationCenter(workbench.page).awaited(
    /has \.devcontainer\/devcontainer\.json already/,
  );
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('another folder opens in its container, beside the first', async (bench) => {
  const { workbench, folder, dir, docker } = bench;
  const second = join(dir, 'work', 'second');
  mkdirSync(second);
  writeFileSync(join(second, '.devcontainer.json'), '{ "image": "busybox:latest" }');
  const inner = await windowOf(workbench, async () => {
    await workbench.command('Pinnace: Open Folder in Container…');
    const { quickInput } = workbench;
    // The dialog begins in the window's folder, and writes that when it has read it.
    const shows = (path: string): Promise<void> =>
      until(path, async () => (await quickInput.input.inputValue()) === path).then(() => undefined);
    await shows(`${folder}/`);
    await quickInput.settled();
    await quickInput.input.fill(`${second}/`);
    await quickInput.settled();
    await shows(`${second}/`);
    await quickInput.element.getByRole('button', { name: 'OK' }).click();
  });
  await inner.page
    .getByRole('treeitem', { name: /\.devcontainer\.json/ })
    .first()
    .waitFor();
  assert.equal((await docker('ps', '-q')).split('\n').length, 2);
  await inner.page.close();
});

test('windows of several containers keep their own cookies beside the outer editor’s', async (bench) => {
  const { workbench } = bench;
  const context = workbench.page.context();
  await context.addCookies([
    { name: 'vscode-tkn', value: 'of-the-outer-editor', url: 'http://127.0.0.1/' },
  ]);
  const places = await Promise.all(bridges(bench).map((port) => placeOf(bench, port)));
  assert.equal(places.length, 2);
  const page = await context.newPage();
  for (const { url, token } of places)
    assert.equal((await page.goto(`${url}?tkn=${token}`))?.status(), 200);
  for (const { url } of places) assert.equal((await page.goto(url))?.status(), 200, url);
  await page.close();
  await context.clearCookies();
});

test('any running container is attached to, from the palette and from its row', async (bench) => {
  const { workbench, docker } = bench;
  await docker('run', '-d', '--name', 'plain', '--stop-timeout', '0', 'busybox', 'sleep', '600');
  const inner = await windowOf(workbench, async () => {
    await workbench.command('Pinnace: Attach to Container…');
    await workbench.quickInput.pick(/plain/);
  });
  await inner.terminal.create();
  await until('its terminal is inside', async () => {
    await inner.terminal.send('hostname > /tmp/where');
    return (await docker('exec', 'plain', 'cat', '/tmp/where')) !== '';
  });
  await inner.page.close();
  const sideBar = await workbench.activityBar.open('Pinnace');
  const row = (await sideBar.view('Containers')).tree.row(/plain/);
  const again = await windowOf(workbench, async () => {
    await (await (await row.waitFor()).contextMenu()).choose('Attach to Container…');
  });
  await again.page.close();
});

test('reopening locally leaves the container, which goes on', async (bench) => {
  const { workbench, folder, dir, docker } = bench;
  const before = await docker('ps', '-q');
  const running = bridges(bench).length;
  await workbench.command('Pinnace: Reopen Locally');
  await workbench.quickInput.pick(folder);
  await new NotificationCenter(workbench.page).awaited(/is open here/);
  await until('its bridge ended', () => bridges(bench).length === running - 1);
  const sideBar = await workbench.activityBar.open('Pinnace');
  const row = (await sideBar.view('Dev Containers')).tree.row(/dev container of .*second/);
  const gone = workbench.page.waitForEvent('load');
  await (await (await row.waitFor()).contextMenu()).choose('Reopen Locally');
  await gone;
  assert.equal(
    new URL(workbench.page.url()).searchParams.get('folder'),
    join(dir, 'work', 'second'),
  );
  assert.equal(await docker('ps', '-q'), before);
});

interface BridgeFacts {
  readonly container: string;
  readonly port: number;
}

/** The bridges that run. */
function bridges({ dir }: Bench): BridgeFacts[] {
  const folder = join(dir, 'run', 'bridges');
  return readdirSync(folder).flatMap((name) => {
    const { pid, port } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      pid: number;
      port: number;
    };
    return existsSync(`/proc/${pid}`) ? [{ container: name.replace('.json', ''), port }] : [];
  });
}

/** Where the server is without the outer editor's proxy, as where that one is no code-server. */
async function placeOf(
  { docker }: Bench,
  { container, port }: BridgeFacts,
): Promise<{ url: string; token: string }> {
  const state = await docker('exec', container, 'cat', '/root/.pinnace-server/state.json');
  const { token, base } = JSON.parse(state) as { token: string; base: string };
  return { url: `http://127.0.0.1:${port}${base}/`, token };
}
