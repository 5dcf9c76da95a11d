/** Files between the machine and containers in a real workbench: downloads, uploads, what is dropped on rows; a container that is stopped. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileDialog } from './parts/file-dialog.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import type { Tree } from './parts/tree.ts';
import { type Bench, withWorkbench } from './rig.ts';

const { test } = withWorkbench({
  folder: (folder) => {
    mkdirSync(join(folder, 'tools', 'below'), { recursive: true });
    writeFileSync(join(folder, 'tools', 'below', 'deep.txt'), 'deep\n');
    writeFileSync(join(folder, 'tools', 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(folder, 'up.txt'), 'from the disk\n');
  },
  engine: { images: ['busybox:latest'] },
});

/** A container that has ended; with the rows down to its /data. */
async function dataFolder({ workbench, docker }: Bench): Promise<Tree> {
  await workbench.activityBar.open('Pinnace');
  const { tree } = await workbench.sideBar.only('Containers');
  if ((await docker('ps', '-aq', '--filter', 'name=web')) === '') {
    const make = 'mkdir -p /data/sub && echo first > /data/note.txt && echo x > /data/sub/x.txt';
    await docker('run', '--name', 'web', '--network', 'none', 'busybox', 'sh', '-c', make);
  }
  await tree.unfold(/container web/, /files of the container/, /folder data/);
  await tree.row(/file note\.txt/).waitFor();
  return tree;
}

/** A file of the container, as its archive has it. */
async function inside({ docker, dir }: Bench, path: string): Promise<string> {
  await docker('cp', `web:${path}`, join(dir, 'seen'));
  return readFileSync(join(dir, 'seen'), 'utf8');
}

test('a file of a stopped container is edited', async (bench) => {
  const { workbench } = bench;
  const tree = await dataFolder(bench);
  await tree.row(/file note\.txt/).click();
  await workbench.editor.shows('first');
  await workbench.editor.focus();
  await workbench.editor.press('Control+End');
  await workbench.editor.type('second');
  await workbench.editor.save();
  await until(
    'the file is written',
    async () => (await inside(bench, '/data/note.txt')) === 'first\nsecond',
  );
  await tree.row(/file note\.txt, 12 B/).waitFor();
});

test('a file and a folder are downloaded, and what is there is replaced or kept', async (bench) => {
  const { workbench, dir } = bench;
  const tree = await dataFolder(bench);
  const dialog = new FileDialog(workbench.page);
  const target = join(dir, 'down.txt');
  await tree.row(/file note\.txt/).act('Download');
  assert.match(await dialog.opened(), /\/folder\/note\.txt$/);
  await dialog.choose(target);
  await until('the file is there', () => existsSync(target));
  assert.equal(readFileSync(target, 'utf8'), 'first\nsecond');
  const into = join(dir, 'out');
  mkdirSync(into);
  await (await tree.row(/folder data/).contextMenu()).choose('Download…');
  await dialog.choose(`${into}/`);
  await until('the folder is there', () => existsSync(join(into, 'data')));
  assert.deepEqual(readdirSync(join(into, 'data'), { recursive: true }).sort(), [
    'note.txt',
    'sub',
    'sub/x.txt',
  ]);
  await (await tree.row(/folder data/).contextMenu()).choose('Download…');
  await dialog.choose(`${into}/`);
  await new NotificationCenter(workbench.page).awaited(
    /out\/data is there already: choose another folder/,
  );
});

test('a folder is uploaded with all that is in it', async (bench) => {
  const { workbench, folder, docker, dir } = bench;
  const tree = await dataFolder(bench);
  await (await tree.row(/folder data/).contextMenu()).choose('Upload Folder…');
  await new FileDialog(workbench.page).choose(`${join(folder, 'tools')}/`);
  await tree.row(/folder tools/).waitFor();
  await until('the folder is whole', async () => {
    await docker('cp', 'web:/data/tools', join(dir, 'tools')).catch(() => undefined);
    return existsSync(join(dir, 'tools', 'run.sh'));
  });
  assert.equal(readFileSync(join(dir, 'tools', 'below', 'deep.txt'), 'utf8'), 'deep\n');
});

test('files are uploaded by dropping them: from the window, and from the machine of the browser', async (bench) => {
  const { workbench } = bench;
  const tree = await dataFolder(bench);
  await workbench.editor.open('up.txt');
  await (await workbench.editor.tab('up.txt')).dragTo(tree.row(/folder data/).element);
  await tree.row(/file up\.txt/).waitFor();
  assert.equal(await inside(bench, '/data/up.txt'), 'from the disk\n');
  await tree.row(/folder sub/).receive([
    { name: 'one.txt', content: 'one' },
    { name: 'two.txt', content: 'two' },
  ]);
  await until('both are there', async () => (await inside(bench, '/data/sub/two.txt')) === 'two');
  assert.equal(await inside(bench, '/data/sub/one.txt'), 'one');
  // The same again would write over it: the user is asked.
  await tree.row(/folder sub/).receive([{ name: 'one.txt', content: 'other' }]);
  assert.match(
    await workbench.dialog.text(),
    /Write over what is in web\?\s*\/data\/sub\/one\.txt/,
  );
  await workbench.dialog.press('Cancel');
  assert.equal(await inside(bench, '/data/sub/one.txt'), 'one');
});
