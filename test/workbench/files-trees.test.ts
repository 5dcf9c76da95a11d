/** Files of volumes and images in a real workbench: a volume's are edited, an image's are only looked at. */
import assert from 'node:assert/strict';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] }, theme: 'light' });

test('a file of a volume that no container uses is edited, renamed and deleted', async (bench) => {
  const { workbench, docker } = bench;
  const inVolume = (...words: string[]): Promise<string> =>
    docker('run', '--rm', '--network', 'none', '-v', 'store:/v', 'busybox', ...words);
  await inVolume('sh', '-c', 'mkdir /v/sub && echo kept > /v/sub/kept.txt');
  await workbench.activityBar.open('Pinnace');
  const { tree } = await workbench.sideBar.only('Volumes');
  await (await tree.row(/volume store/).waitFor()).expand();
  await (await tree.row(/files of the volume/).waitFor()).expand();
  await (await tree.row(/folder sub/).waitFor()).expand();
  await (await tree.row(/file kept\.txt/).waitFor()).click();
  await workbench.editor.shows('kept');
  await workbench.editor.focus();
  await workbench.editor.press('Control+End');
  await workbench.editor.type('more');
  await workbench.editor.save();
  await until(
    'the file is written',
    async () => (await inVolume('cat', '/v/sub/kept.txt')) === 'kept\nmore',
  );
  await (await tree.row(/file kept\.txt/).contextMenu()).choose('Rename…');
  await workbench.quickInput.enter('renamed.txt');
  await tree.row(/file renamed\.txt/).waitFor();
  await (await tree.row(/file renamed\.txt/).contextMenu()).choose('Delete');
  assert.match(await workbench.dialog.text(), /Delete file \/sub\/renamed\.txt in store\?/);
  await workbench.dialog.press('Delete');
  await tree.row(/file renamed\.txt/).waitFor('hidden');
  assert.equal(await inVolume('ls', '/v/sub'), '');
});

test('the files of an image are read-only', async (bench) => {
  const { workbench } = bench;
  const { tree } = await workbench.sideBar.only('Images');
  await (await tree.row(/busybox/).waitFor()).expand();
  await (await tree.row(/image busybox:latest/).waitFor()).expand();
  await (await tree.row(/files of the image/).waitFor()).expand();
  const etc = await tree.row(/folder etc/).waitFor();
  const actions = await etc.actions();
  assert.ok(!actions.some((title) => /New|Delete|Upload/.test(title)), actions.join());
  await etc.expand();
  await (await tree.row(/file passwd/).waitFor()).click();
  await workbench.editor.shows('root:');
  await workbench.editor.focus();
  await workbench.editor.type('x');
  await workbench.page
    .getByText(/Editor is read-only because the file/)
    .first()
    .waitFor();
});
