/** Files of a container in a real workbench: browse, open, edit, compare, make, rename, delete. */
import assert from 'node:assert/strict';
import { until } from './parts/patience.ts';
import type { Tree } from './parts/tree.ts';
import { type Bench, withWorkbench } from './rig.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] } });

const MAKE = 'mkdir -p /data/sub && echo first > /data/note.txt && echo own >> /etc/passwd';

/** The tree with the rows down to /data of the container `web`. */
async function dataFolder(bench: Bench): Promise<Tree> {
  const { docker } = bench;
  const tree = (await bench.workbench.sideBar.only('Containers')).tree;
  if ((await docker('ps', '-aq', '--filter', 'name=web')) === '')
    await docker('run', '-d', '--name', 'web', 'busybox', 'sh', '-c', `${MAKE}; sleep 1000`);
  await tree.unfold(/web/, /^Files|files of the container/, /folder data/);
  await tree.row(/note\.txt/).waitFor();
  return tree;
}

const inside = ({ docker }: Bench, path: string): Promise<string> =>
  docker('exec', 'web', 'cat', path);

test('a file of a container is opened, edited and saved', async (bench) => {
  const { workbench } = bench;
  await workbench.activityBar.open('Pinnace');
  const tree = await dataFolder(bench);
  await tree.row(/note\.txt/).click();
  await workbench.editor.shows('first');
  await workbench.editor.focus();
  await workbench.editor.press('Control+End');
  await workbench.editor.type('second');
  await workbench.editor.save();
  await until('the file is written', async () =>
    (await inside(bench, '/data/note.txt')) === 'first\nsecond' ? true : undefined,
  );
  await tree.row(/file note\.txt, 12 B/).waitFor();
});

test('a file is made, renamed and deleted', async (bench) => {
  const { workbench } = bench;
  const tree = await dataFolder(bench);
  await tree.row(/folder data/).act('New File');
  await workbench.quickInput.enter('made.txt');
  await tree.row(/made\.txt/).waitFor();
  await (await tree.row(/made\.txt/).contextMenu()).choose('Rename…');
  await workbench.quickInput.enter('renamed.txt');
  await tree.row(/renamed\.txt/).waitFor();
  assert.equal(await inside(bench, '/data/renamed.txt'), '');
  await (await tree.row(/renamed\.txt/).contextMenu()).choose('Delete');
  assert.match(await workbench.dialog.text(), /Delete file \/data\/renamed\.txt in web\?/);
  await workbench.dialog.press('Delete');
  await tree.row(/renamed\.txt/).waitFor('hidden');
});

test('a file is compared with that of the image', async (bench) => {
  const { workbench } = bench;
  const tree = await dataFolder(bench);
  await (await tree.row(/web/).contextMenu()).choose('Show Changed Files');
  await workbench.quickInput.pick(/\/etc\/passwd/);
  await workbench.editor.tab(/passwd \(image ↔ web\)/);
  await workbench.page.locator('.editor.modified .view-line', { hasText: /^own$/ }).waitFor();
});
