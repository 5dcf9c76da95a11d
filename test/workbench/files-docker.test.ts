/** Files of volumes and images of Debian's dockerd in a real workbench: looked at and changed through containers that nobody sees and that are gone afterwards. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withDockerd } from './actions/dockerd.ts';
import { editFileOfVolume } from './actions/files.ts';
import { until } from './parts/patience.ts';

const { test } = withDockerd();

test('a file of a volume of Docker is edited and deleted, and the volume removed at once', async (bench) => {
  const { workbench, docker } = bench;
  const tree = await editFileOfVolume(bench);
  const volume = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', 'store');
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
  await tree.unfold(/busybox/, /image busybox:latest/, /files of the image/, /folder etc/);
  await (await tree.row(/file passwd/).waitFor()).click();
  await workbench.editor.shows('root:');
  await until('the container is gone', async () => (await docker('ps', '-aq')) === '');
  await workbench.editor.tab('passwd');
});
