/** Actions on containers in the real editor: menus, confirmations, logs, shell, stats, documents. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { LogView } from './parts/log-view.ts';
import { until } from './parts/patience.ts';
import { Webview } from './parts/webview.ts';
import { withWorkbench } from './rig.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] } });

/** Where screenshots go that a person asked for. */
const SHOTS = process.env['PINNACE_SHOTS'];

test('rows offer what their state allows, and stopping and starting work from them', async (bench) => {
  const { workbench, docker } = bench;
  await docker(
    'run',
    '-d',
    '--network',
    'none',
    '--stop-timeout',
    '0',
    '--name',
    'web',
    'busybox',
    'sleep',
    '600',
  );
  const sideBar = await workbench.activityBar.open('Pinnace');
  const containers = await sideBar.view('Containers');
  const row = await containers.tree.row(/web/).waitFor();
  const menu = await row.contextMenu();
  const titles = await menu.titles();
  for (const title of [
    'Stop',
    'Restart',
    'Pause',
    'Kill…',
    'Show Logs',
    'Open Shell',
    'Inspect',
    'Copy Name',
    'Remove…',
  ])
    assert.ok(titles.includes(title), `${title}: ${titles.join(', ')}`);
  assert.ok(!titles.includes('Start'), titles.join(', '));
  if (SHOTS !== undefined) await workbench.page.screenshot({ path: join(SHOTS, 'menu.png') });
  await menu.choose('Stop');
  await until(
    'it is stopped',
    async () => (await docker('inspect', '-f', '{{.State.Status}}', 'web')) === 'exited',
  );
  await containers.tree.row(/web.*Exited/).waitFor();
  await containers.tree.row(/web/).act('Start');
  await until(
    'it runs',
    async () => (await docker('inspect', '-f', '{{.State.Status}}', 'web')) === 'running',
  );
});

test('the log is followed, searched, coloured and wrapped', async ({ workbench, docker }) => {
  const script =
    'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); printf "line %s \\033[1;32mgreen\\033[0m \\033[38;2;255;120;0morange\\033[0m <b>no markup</b>\\n" $i; done; echo oops >&2; head -c 3000 /dev/zero | tr "\\0" x; echo; sleep 1; echo later; sleep 600';
  await docker(
    'run',
    '-d',
    '--network',
    'none',
    '--stop-timeout',
    '0',
    '--name',
    'talk',
    'busybox',
    'sh',
    '-c',
    script,
  );
  const containers = await (await workbench.activityBar.open('Pinnace')).view('Containers');
  const row = await containers.tree.row(/talk/).waitFor();
  await (await row.contextMenu()).choose('Show Logs');
  const log = await LogView.opened(workbench.page);
  await log.shows('later');
  assert.match(await log.amount(), /3,003 lines/);
  assert.equal(await log.state(), 'Following');
  assert.equal(await log.frame.locator('.row b').count(), 0);
  if (SHOTS !== undefined) await workbench.page.screenshot({ path: join(SHOTS, 'log.png') });
  await log.search('line 15', /of 111|of 112/);
  await log.shows('line 15 green');
  assert.equal(await log.isPressed('Scroll to New Lines'), false);
  await log.press('Show Timestamps (UTC)');
  await until('times are shown', async () =>
    (await log.rows()).some((text) => /^20\d\d-\d\d-\d\d \d\d:/.test(text)),
  );
  if (SHOTS !== undefined) await workbench.page.screenshot({ path: join(SHOTS, 'log-search.png') });
  await log.press('Wrap Long Lines');
  await log.press('Scroll to New Lines');
  await log.shows('later');
  await docker('restart', '-t', '0', 'talk');
  await until('it goes on after the restart', async () =>
    /6,00[3-6] lines/.test(await log.amount()),
  );
});

test('a shell opens in a terminal of the container', async ({ workbench, docker }) => {
  const containers = await (await workbench.activityBar.open('Pinnace')).view('Containers');
  await containers.tree.row(/web/).act('Open Shell');
  await workbench.terminal.opened();
  await workbench.terminal.send('echo "$TERM" > /typed; hostname >> /typed');
  await until('what was typed has run', async () => {
    const text = await docker('exec', 'web', 'cat', '/typed').catch(() => '');
    return /^xterm-256color\n[0-9a-f]{12}$/.test(text);
  });
  if (SHOTS !== undefined) await workbench.page.screenshot({ path: join(SHOTS, 'shell.png') });
  await workbench.terminal.send('exit');
});

test('charts show what a container uses', async ({ workbench }) => {
  const containers = await (await workbench.activityBar.open('Pinnace')).view('Containers');
  await (await containers.tree.row(/web/).contextMenu()).choose('Show Stats');
  const frame = await new Webview(workbench.page).content('table');
  await until('a sample is shown', async () =>
    /web\s+\d+\.\d %\s+[\d.]+ [KM]iB/.test(await frame.locator('tbody tr').innerText()),
  );
  if (SHOTS !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 5000));
    await workbench.page.screenshot({ path: join(SHOTS, 'stats.png') });
  }
  assert.match(
    (await frame.locator('canvas').first().getAttribute('aria-label')) ?? '',
    /^CPU: web/,
  );
});

test('several are removed after one question', async ({ workbench, docker }) => {
  const containers = await (await workbench.activityBar.open('Pinnace')).view('Containers');
  await containers.tree.select(/web/, /talk/);
  await (await containers.tree.row(/talk/).contextMenu()).choose(/^Remove…/);
  assert.match(await workbench.dialog.text(), /Remove 2 containers\?/);
  if (SHOTS !== undefined) await workbench.page.screenshot({ path: join(SHOTS, 'remove.png') });
  await workbench.dialog.press('Stop and Remove');
  await until('they are gone', async () => (await docker('ps', '-aq')) === '');
});
