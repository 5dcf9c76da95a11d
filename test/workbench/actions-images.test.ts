/** Actions on images, volumes and networks in the real editor: from rows, from titles of views and from the palette. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { LogView } from './parts/log-view.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import type { Workbench } from './parts/workbench.ts';
import { withWorkbench } from './rig.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] }, theme: 'light' });

/** Where screenshots go that a person asked for. */
const SHOTS = process.env['PINNACE_SHOTS'];

test('an image is tagged, run and its log opened', async ({ workbench, docker }) => {
  const images = await (await workbench.activityBar.open('Pinnace')).view('Images');
  await images.tree.row(/busybox/).expand();
  const row = await images.tree.row(/^latest|image busybox:latest/).waitFor();
  await (await row.contextMenu()).choose(/^Tag…/);
  await workbench.quickInput.enter('shop:1');
  await images.tree.row(/shop/).waitFor();
  assert.equal(await docker('images', '-q', 'shop:1'), await docker('images', '-q', 'busybox'));
  await row.act('Run');
  const told = await new NotificationCenter(workbench.page).awaited(/(?:runs|ran) busybox/);
  await told.press('Show Logs');
  const log = await LogView.opened(workbench.page);
  await until('the log has a state', async () => (await log.state()) !== '');
  if (SHOTS !== undefined) await workbench.page.screenshot({ path: join(SHOTS, 'light.png') });
});

/** Waits until the next question is asked. */
async function titled(workbench: Workbench, title: RegExp): Promise<void> {
  await until(`the question ${String(title)}`, async () =>
    title.test(await workbench.quickInput.title().catch(() => '')),
  );
}

test('history and inspect are documents', async ({ workbench }) => {
  const images = await (await workbench.activityBar.open('Pinnace')).view('Images');
  const row = await images.tree.row(/^latest|image busybox:latest/).waitFor();
  await (await row.contextMenu()).choose('Show History');
  await workbench.page.getByRole('tab', { name: /History of busybox/ }).waitFor();
  if (SHOTS !== undefined) await workbench.page.screenshot({ path: join(SHOTS, 'history.png') });
  await (await row.contextMenu()).choose('Inspect');
  await workbench.page.getByRole('tab', { name: /busybox.*\.json/ }).waitFor();
});

test('a name is removed from its row, after a question that says what stays', async (bench) => {
  const { workbench, docker } = bench;
  const images = await (await workbench.activityBar.open('Pinnace')).view('Images');
  await images.tree.row(/shop/).expand();
  const row = await images.tree.row(/image shop:1/).waitFor();
  await (await row.contextMenu()).choose(/^Remove…/);
  assert.match(
    await workbench.dialog.text(),
    /Remove image shop:1\?\s*The image stays as busybox:latest/,
  );
  if (SHOTS !== undefined)
    await workbench.page.screenshot({ path: join(SHOTS, 'remove-image.png') });
  await workbench.dialog.press('Remove');
  await until('the name is gone', async () => (await docker('images', '-q', 'shop:1')) === '');
});

test('volumes and networks are made from the palette, and a container is put on one', async (bench) => {
  const { workbench, docker } = bench;
  await workbench.quickInput.command('Pinnace Volumes: Create…');
  await workbench.quickInput.enter('stuff');
  await until('the volume is there', async () =>
    (await docker('volume', 'ls', '-q')).includes('stuff'),
  );
  await workbench.quickInput.command('Pinnace Networks: Create…');
  await workbench.quickInput.enter('back');
  await titled(workbench, /\(2\/2\)/);
  await workbench.quickInput.enter('10.91.0.0/24');
  await titled(workbench, /kind of network/);
  await workbench.quickInput.pick('Internal');
  await until('the network is there', async () => (await docker('network', 'ls')).includes('back'));
  await docker('run', '-d', '--stop-timeout', '0', '--name', 'web', 'busybox', 'sleep', '600');
  await workbench.quickInput.command('Pinnace Networks: Connect Container…');
  await workbench.quickInput.pick('back');
  await workbench.quickInput.opened();
  await until('the containers are asked for', async () =>
    (await workbench.quickInput.entries()).includes('web'),
  );
  await workbench.quickInput.tick('web');
  await until('it is on the network', async () =>
    (await docker('inspect', '-f', '{{json .NetworkSettings.Networks}}', 'web')).includes(
      '10.91.0.',
    ),
  );
  await workbench.quickInput.command('Pinnace Containers: Copy docker run Line');
  await until('it asks of which', async () =>
    (await workbench.quickInput.entries()).includes('web'),
  );
  await workbench.quickInput.tick('web');
  await docker('rm', '-f', 'web');
});

test('pruning volumes tells how many went', async ({ workbench, docker }) => {
  await workbench.quickInput.command('Pinnace Volumes: Remove Unused…');
  await workbench.quickInput.pick('All Unused');
  assert.match(await workbench.dialog.text(), /Remove volume stuff\?|Remove 1 volume/);
  await workbench.dialog.press('Remove');
  await new NotificationCenter(workbench.page).awaited(/Removed 1 volume/);
  assert.equal(await docker('volume', 'ls', '-q'), '');
});
