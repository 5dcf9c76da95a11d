/** Volumes and networks in the real editor: who uses them, what holds them, containers that join and leave, also by dragging. */
import assert from 'node:assert/strict';
import { copied } from './parts/clipboard.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import { type Bench, withWorkbench } from './rig.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] }, theme: 'high-contrast' });

function run({ docker }: Bench, name: string, ...flags: string[]): Promise<string> {
  const own = ['--name', name, '--stop-timeout', '0'];
  return docker('run', '-d', ...own, ...flags, 'busybox', 'sleep', '600');
}

const networksOf = ({ docker }: Bench, container: string): Promise<string> =>
  docker('inspect', '-f', '{{json .NetworkSettings.Networks}}', container);

test('a volume says who uses it, is inspected, and is removed when nobody does', async (bench) => {
  const { workbench, docker } = bench;
  await run(bench, 'db', '--network', 'none', '-v', 'store:/data:ro');
  await docker('volume', 'create', 'spare');
  await workbench.activityBar.open('Pinnace');
  const { tree } = await workbench.sideBar.only('Volumes');
  const store = await tree.row(/volume store/).waitFor();
  await (await store.contextMenu()).choose('Who Uses It?');
  await until('it says who', async () =>
    /db\s*\/data\s\(read-only\)/.test(await workbench.quickInput.settled()),
  );
  await workbench.quickInput.pick('db');
  await workbench.editor.tab(/db\.json/);
  await (await tree.row(/volume store/).contextMenu()).choose('Inspect');
  await workbench.editor.tab(/store\.json/);
  await workbench.editor.shows('"Name": "store"');
  await (await tree.row(/volume store/).contextMenu()).choose('Copy Path');
  assert.match(await copied(workbench.page, /store/), /^\/.*store/);
  await (await tree.row(/volume store/).contextMenu()).choose(/^Remove…/);
  await new NotificationCenter(workbench.page).awaited(
    'Still used: store by db. Remove the containers first.',
  );
  await (await tree.row(/volume spare/).contextMenu()).choose(/^Remove…/);
  assert.match(await workbench.dialog.text(), /Remove volume spare\?\s*The files in it are lost/);
  await workbench.dialog.press('Remove');
  await tree.row(/volume spare/).waitFor('hidden');
  assert.equal(await docker('volume', 'ls', '-q'), 'store');
});

test('a container is dragged onto a network', async (bench) => {
  const { workbench, docker } = bench;
  await docker('network', 'create', 'back');
  await run(bench, 'web');
  await workbench.sideBar.only('Containers');
  const containers = (await workbench.sideBar.view('Containers')).tree;
  const networks = (await workbench.sideBar.view('Networks')).tree;
  const back = await networks.row(/network back/).waitFor();
  await (await containers.row(/container web/).waitFor()).dragTo(back);
  assert.match(await workbench.dialog.text(), /Connect container web to the network back\?/);
  await workbench.dialog.press('Connect');
  await until('it is on the network', async () =>
    (await networksOf(bench, 'web')).includes('"back"'),
  );
  await networks.row(/network back.*1 container/).waitFor();
});

test('a network says who is on it, and lets them go', async (bench) => {
  const { workbench } = bench;
  const { tree } = await workbench.sideBar.only('Networks');
  await (await tree.row(/network back/).contextMenu()).choose('Who Is on It?');
  await until('it says who', async () =>
    /web\s*\d+\.\d+\.\d+\.\d+\//.test(await workbench.quickInput.settled()),
  );
  await workbench.quickInput.cancel();
  await (await tree.row(/network back/).contextMenu()).choose('Inspect');
  await workbench.editor.tab(/back\.json/);
  await (await tree.row(/network back/).contextMenu()).choose(/^Disconnect Container…/);
  await until('it asks which', async () => (await workbench.quickInput.entries()).includes('web'));
  await workbench.quickInput.tick('web');
  assert.match(
    await workbench.dialog.text(),
    /Disconnect web from back\?\s*Open connections through it break/,
  );
  await workbench.dialog.press('Disconnect');
  await until('it has left', async () => !(await networksOf(bench, 'web')).includes('"back"'));
});

test('networks are removed by name and all at once, and those of every engine stay', async (bench) => {
  const { workbench, docker } = bench;
  await docker('network', 'create', 'front');
  const { tree } = await workbench.sideBar.only('Networks');
  await (await (await tree.row(/network front/).waitFor()).contextMenu()).choose(/^Remove…/);
  assert.match(await workbench.dialog.text(), /Remove network front\?/);
  await workbench.dialog.press('Remove');
  await tree.row(/network front/).waitFor('hidden');
  const menu = await tree.row(/network bridge/).contextMenu();
  assert.ok(!(await menu.titles()).some((title) => title.startsWith('Remove')));
  await menu.close();
  await workbench.quickInput.command('Pinnace Networks: Remove Unused…');
  assert.match(await workbench.dialog.text(), /Remove all networks that no container is on\?/);
  await workbench.dialog.press('Remove');
  await new NotificationCenter(workbench.page).awaited('Removed 1 network: back.');
  await tree.row(/network back/).waitFor('hidden');
  await docker('rm', '-f', 'web', 'db');
});
