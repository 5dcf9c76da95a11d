/** Every action on containers in the real editor on our own engine: by menus, by keys alone and from the palette. */
import assert from 'node:assert/strict';
import { asked, choose, CONTAINER_ACTIONS, containersView, run } from './actions/containers.ts';
import { ContextMenu } from './parts/context-menu.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import { type Bench, withWorkbench } from './rig.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] } });

for (const [name, work] of CONTAINER_ACTIONS) test(name, work);

// After the removal of several selected rows: the editor goes on saying that several are selected.
test('with keys alone a container is found, stopped, renamed, looked at and removed', async (bench) => {
  const { workbench, docker } = bench;
  const { page, quickInput } = workbench;
  await run(bench, 'aft', 'sleep', '600');
  await run(bench, 'bow', 'sleep', '600');
  const { tree } = await containersView(bench);
  await tree.row(/^container bow,/).waitFor();
  await workbench.command('Pinnace: Focus on Containers View');
  await page.keyboard.press('Home');
  await until('the first row has the focus', async () =>
    /^container aft,/.test(await tree.focused()),
  );
  await page.keyboard.press('ArrowDown');
  await until('the second row has the focus', async () =>
    /^container bow,/.test(await tree.focused()),
  );
  await page.keyboard.press('Shift+F10');
  await (await new ContextMenu(page).opened()).chooseByKeys('Stop');
  await until(
    'it is stopped',
    async () => (await docker('inspect', '-f', '{{.State.Status}}', 'bow')) === 'exited',
  );
  assert.equal(await docker('inspect', '-f', '{{.State.Status}}', 'aft'), 'running');
  await tree.row(/^container bow, Exited/).waitFor();
  await page.keyboard.press('F2');
  await asked(bench, /Rename bow/);
  await page.keyboard.press('Control+a');
  await page.keyboard.type('stern');
  await page.keyboard.press('Enter');
  await tree.row(/^container stern,/).waitFor();
  await workbench.command('Pinnace: Focus on Containers View');
  await page.keyboard.press('End');
  await until('the renamed row has the focus', async () =>
    /^container stern,/.test(await tree.focused()),
  );
  await page.keyboard.press('Enter');
  await workbench.editor.tab(/^stern\.json$/);
  await workbench.command('Pinnace: Focus on Containers View');
  await page.keyboard.press('Delete');
  assert.match(await workbench.dialog.text(), /Remove container stern\?|Remove stern\?/);
  await page.keyboard.press('Enter');
  await until('it is gone', async () => !(await docker('ps', '-a')).includes('stern'));
  assert.equal(await quickInput.element.count(), 0);
  await docker('rm', '-f', 'aft');
});

test('Enter folds and unfolds a heading', async (bench) => {
  const { workbench, docker } = bench;
  const project = ['--label', 'com.docker.compose.project=fleet'];
  await docker('create', '--name', 'sloop', ...project, 'busybox', 'true');
  const { tree } = await containersView(bench);
  await tree.row(/^container sloop,/).waitFor();
  await workbench.command('Pinnace: Focus on Containers View');
  await workbench.page.keyboard.press('Home');
  await until('the heading has the focus', async () => /fleet/.test(await tree.focused()));
  await workbench.page.keyboard.press('Enter');
  await tree.row(/^container sloop,/).waitFor('hidden');
  await workbench.page.keyboard.press('Enter');
  await tree.row(/^container sloop,/).waitFor();
  await docker('rm', 'sloop');
});

test('a port that is not published is carried to this machine and opened', async (bench) => {
  const server = 'mkdir /w; echo inside > /w/index.html; httpd -f -p 8000 -h /w';
  await bench.docker('run', '-d', '--name', 'hidden', 'busybox', 'sh', '-c', server);
  await until('the server listens', async () =>
    (await bench.docker('exec', 'hidden', 'netstat', '-ltn')).includes(':8000'),
  );
  const { workbench } = bench;
  const address = await workbench.opens(() => choose(bench, 'hidden', 'Open in Browser'));
  const port = /(?:proxy\/|:)(\d+)\/$/.exec(address)?.[1] ?? '';
  const answer = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(await answer.text(), 'inside\n');
  await bench.docker('rm', '-f', 'hidden');
});

/** Waits until the quick input offers these and not the others. */
async function offered(
  { workbench }: Bench,
  these: readonly string[],
  others: readonly string[],
): Promise<void> {
  await until(`${these.join(' and ')} are offered`, async () => {
    const entries = await workbench.quickInput.entries();
    return (
      these.every((name) => entries.includes(name)) &&
      !others.some((name) => entries.includes(name))
    );
  });
}

test('from the palette each action asks of which, and says so where there is none', async (bench) => {
  const { workbench, docker } = bench;
  const { quickInput } = workbench;
  await run(bench, 'aft', 'sleep', '600');
  await run(bench, 'bow', 'sleep', '600');
  await run(bench, 'done', 'true');
  await docker('wait', 'done');
  await workbench.command('Pinnace Containers: Unpause');
  await new NotificationCenter(workbench.page).awaited('No container is paused.');
  await workbench.command('Pinnace Containers: Pause');
  await asked(bench, /Pause which containers\?/);
  await offered(bench, ['aft', 'bow'], ['done']);
  await quickInput.tick('aft', 'bow');
  await until('both are paused', async () =>
    /^2$/.test(String((await docker('ps', '-q', '-f', 'status=paused')).split('\n').length)),
  );
  await workbench.command('Pinnace Containers: Start');
  await asked(bench, /Start which containers\?/);
  await offered(bench, ['done'], ['aft', 'bow']);
  await quickInput.cancel();
  await workbench.command('Pinnace Containers: Rename…');
  await asked(bench, /Rename which container\?/);
  await quickInput.pick('done');
  await asked(bench, /Rename done/);
  await quickInput.enter('over');
  await until('it is renamed', async () => (await docker('ps', '-a')).includes('over'));
  await docker('rm', '-f', 'aft', 'bow', 'over');
});
