/** Files of volumes and images of Debian's dockerd in a real workbench: looked at and changed through containers that nobody sees and that are gone afterwards. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withDockerd } from './actions/dockerd.ts';
import { until } from './parts/patience.ts';

const { test } = withDockerd();

test('a file of a volume of Docker is edited and deleted, and the volume removed at once', async (bench) => {
  const { workbench, docker } = bench;
  const mount = ['--rm', '--network', 'none', '-v', 'store:/v'];
  await docker(
    'run',
    ...mount,
    'busybox',
    'sh',
    '-c',
    'mkdir /v/sub && echo kept > /v/sub/kept.txt',
  );
  const volume = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', 'store');
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
  const row = await tree.row(/file kept\.txt, 9 B/).waitFor();
  assert.equal(readFileSync(join(volume, 'sub', 'kept.txt'), 'utf8'), 'kept\nmore');
  await (await row.contextMenu()).choose('Delete');
  await workbench.dialog.press('Delete');
  await tree.row(/file kept\.txt/).waitFor('hidden');
  assert.deepEqual(readdirSync(join(volume, 'sub')), []);
  // What the files are looked at through is nobody's use of it.
  const unused = await tree.row(/volume store.*not used/).waitFor();
  await (await unused.contextMenu()).choose(/^Remove…/);
  await workbench.dialog.press('Remove');
  await tree.row(/volume store/).waitFor('hidden');
  assert.equal(await docker('volume', 'ls', '-q'), '');
});

test('a file of an image of Docker is shown, and nothing stays', async (bench) => {
  const { workbench, docker } = bench;
  const { tree } = await workbench.sideBar.only('Images');
  await (await tree.row(/busybox/).waitFor()).expand();
  await (await tree.row(/image busybox:latest/).waitFor()).expand();
  await (await tree.row(/files of the image/).waitFor()).expand();
  await (await tree.row(/folder etc/).waitFor()).expand();
  await (await tree.row(/file passwd/).waitFor()).click();
  await workbench.editor.shows('root:');
  await until('the container is gone', async () => (await docker('ps', '-aq')) === '');
  await workbench.editor.tab('passwd');
});
