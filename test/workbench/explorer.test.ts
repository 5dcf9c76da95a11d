/** The trees of the explorer in a real workbench: what they show, how soon they follow other clients, how they are arranged and used by keys. */
import assert from 'node:assert/strict';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { shownAt } from './parts/in-page.ts';
import type { ViewPane } from './parts/side-bar.ts';
import { type Bench, withWorkbench } from './rig.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] } });

async function view({ workbench }: Bench, title: string): Promise<ViewPane> {
  await workbench.activityBar.open('Pinnace');
  return workbench.sideBar.view(title);
}

const project = (name: string): string[] => ['--label', `com.docker.compose.project=${name}`];

test('containers stand beneath their project with state, image and ports', async (bench) => {
  const { docker } = bench;
  await docker('network', 'create', 'shop_net');
  const web = ['--name', 'shop-web-1', ...project('shop'), '--network', 'shop_net'];
  await docker(
    'run',
    '-d',
    ...web,
    '-p',
    '127.0.0.1::80',
    '-v',
    'shop_data:/data',
    'busybox',
    'sleep',
    '1000',
  );
  await docker('run', '--name', 'alone', 'busybox', 'sh', '-c', 'exit 3').catch(() => undefined);
  const { tree } = await view(bench, 'Containers');
  const rows = await tree.settled('both containers', (texts) => texts.length >= 3);
  assert.equal(rows[0], 'shop 1 running');
  assert.match(rows[1] ?? '', /^shop-web-1 busybox · Up /);
  assert.match(rows[2] ?? '', /^alone busybox · Exited \(3\)/);
  const row = tree.row(/shop-web-1/);
  assert.match(
    await row.accessibleName(),
    /^container shop-web-1, Up .*, image busybox, ports 127/,
  );
  await row.expand();
  await tree.row(/127\.0\.0\.1:\d+ → 80/).waitFor();
  assert.match(await row.tooltip(), /Networks\s+shop_net/);
});

test('a change by another client is seen within 200 ms', async (bench) => {
  const { docker, workbench } = bench;
  const { tree } = await view(bench, 'Containers');
  await docker('create', '--name', 'quick', 'busybox', 'sleep', '1000');
  await tree.row(/^container quick/).waitFor();
  const delays: number[] = [];
  // On a machine that runs more than it has processors for, everything takes that much longer.
  const allowed = 200 * Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
  for (const name of ['quick-1', 'quick-2', 'quick-3', 'quick-4', 'quick-5']) {
    // The page tells by its own clock when the new name is in the tree.
    const shown = workbench.page.evaluate<number>(shownAt(name));
    const now = await docker('ps', '-aq', '--filter', 'name=quick');
    await docker('rename', now, name);
    const changed = Date.now();
    delays.push((await shown) - changed);
    // The editor itself takes no second refresh of a tree within 200 ms.
    await sleep(400);
  }
  await docker('rm', '-f', 'quick-5');
  await tree.row(/quick-5/).waitFor('hidden');
  const median = delays.toSorted((a, b) => a - b)[2] ?? Infinity;
  assert.ok(median <= allowed, `${delays.join(', ')} ms after the command; ${allowed} are allowed`);
});

test('a filter is in force while it is typed, says so, and is cleared by its button', async (bench) => {
  const { workbench } = bench;
  const containers = await view(bench, 'Containers');
  await containers.act(/Filter Containers/);
  await workbench.quickInput.opened();
  await workbench.quickInput.input.fill('alone exited');
  await containers.tree.settled(
    'the filter',
    (texts) =>
      texts.some((text) => text.startsWith('alone')) &&
      !texts.some((text) => text.startsWith('shop')),
  );
  await workbench.page.keyboard.press('Enter');
  await containers.element.getByText('Filter “alone exited”: 1 shown.').waitFor();
  await containers.act(/Clear Filter/);
  await containers.tree.settled('all rows', (texts) => texts.length >= 3);
});

test('groups are chosen from the palette and remembered', async (bench) => {
  const { workbench } = bench;
  const { tree } = await view(bench, 'Containers');
  await workbench.command('Pinnace: Group Containers By…');
  await workbench.quickInput.element.getByText('Compose project').waitFor();
  await workbench.quickInput.input.fill('Status');
  await workbench.page.keyboard.press('Enter');
  await tree.settled(
    'states',
    (texts) => texts.includes('Running 1') && texts.includes('Exited 1'),
  );
  await workbench.restart();
  await view(bench, 'Containers');
  await tree.settled('states', (texts) => texts.includes('Running 1'));
});

test('an image unfolds to its layers, and says who uses it', async (bench) => {
  const { tree } = await view(bench, 'Images');
  await tree.row(/repository busybox/).expand();
  const latest = tree.row(/^image busybox:latest/);
  assert.match(await (await latest.waitFor()).accessibleName(), /used by \d containers/);
  await latest.expand();
  await tree.row(/^layer 1/).waitFor();
});

test('networks and volumes say who is on them', async (bench) => {
  const networks = await view(bench, 'Networks');
  const net = networks.tree.row(/^network shop_net/);
  assert.match(
    await (await net.waitFor()).accessibleName(),
    /driver bridge, subnet .*, 1 container/,
  );
  await net.expand();
  await networks.tree.row(/^container shop-web-1/).waitFor();
  const volumes = await view(bench, 'Volumes');
  await volumes.tree.row(/^volume shop_data.*used by shop-web-1/).waitFor();
});

test('keys: Enter inspects, F2 renames, Delete removes after a question', async (bench) => {
  const { workbench, docker } = bench;
  const { page } = workbench;
  const { tree } = await view(bench, 'Containers');
  await tree.row(/^container alone/).click();
  await page.keyboard.press('Enter');
  await page.locator('.tab', { hasText: 'alone' }).waitFor();
  await tree.row(/^container alone/).click();
  await page.keyboard.press('F2');
  await page.locator('.quick-input-widget:visible input').fill('renamed');
  await page.keyboard.press('Enter');
  await tree.row(/^container renamed/).waitFor();
  await tree.row(/^container renamed/).click();
  await page.keyboard.press('Delete');
  await workbench.dialog.press(/Remove/);
  await tree.row(/^container renamed/).waitFor('hidden');
  assert.doesNotMatch(await docker('ps', '-a', '--format', '{{.Names}}'), /renamed/);
});
