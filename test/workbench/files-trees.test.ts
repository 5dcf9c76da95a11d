/** Files of volumes and images in a real workbench: a volume's are edited, an image's are looked at, by layers too, and compared. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { editFileOfVolume } from './actions/files.ts';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

const { test } = withWorkbench({ engine: { images: ['busybox:latest'] }, theme: 'light' });

test('a file of a volume that no container uses is edited, renamed and deleted', async (bench) => {
  const { workbench, dir } = bench;
  const tree = await editFileOfVolume(bench);
  // Looked at from outside: a container with the volume would change the volume's row, and with that close menus.
  const folder = join(dir, 'data-root', 'volumes', 'store', '_data', 'sub');
  await until(
    'the file is written',
    () => readFileSync(join(folder, 'kept.txt'), 'utf8') === 'kept\nmore',
  );
  await (await tree.row(/file kept\.txt, 9 B/).contextMenu()).choose('Rename…');
  await workbench.quickInput.enter('renamed.txt');
  await tree.row(/file renamed\.txt/).waitFor();
  await (await tree.row(/file renamed\.txt/).contextMenu()).choose('Delete');
  assert.match(await workbench.dialog.text(), /Delete file \/sub\/renamed\.txt in store\?/);
  await workbench.dialog.press('Delete');
  await tree.row(/file renamed\.txt/).waitFor('hidden');
  assert.deepEqual(readdirSync(folder), []);
});

test('the files of an image are read-only', async (bench) => {
  const { workbench } = bench;
  const { tree } = await workbench.sideBar.only('Images');
  await tree.unfold(/busybox/, /image busybox:latest/, /files of the image/);
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

test('the layers of an image tell what they waste, and two images are compared', async (bench) => {
  const { workbench, docker } = bench;
  const change = 'echo second >> /etc/passwd; rm /etc/group';
  await docker('run', '--name', 'made', '--network', 'none', 'busybox', 'sh', '-c', change);
  await docker('commit', '-c', 'ENV MODE=new', 'made', 'busybox:2');
  await docker('rm', 'made');
  const { tree } = await workbench.sideBar.only('Images');
  const made = await tree.row(/image busybox:2/).waitFor();
  await (await made.contextMenu()).choose('Show Layer Contents');
  await workbench.editor.tab('Layers of busybox:2');
  const lines = (await workbench.editor.shows('busybox:2: 2 layers')).join('\n');
  assert.match(lines, /229 B \(0\.0 %\) are wasted/);
  assert.match(lines, /162 B {2}\/etc\/passwd {2}of layer 1, replaced by layer 2/);
  assert.match(lines, /67 B {2}\/etc\/group {2}of layer 1, deleted by layer 2/);
  await tree.row(/image busybox:latest/).click();
  await made.element.click({ modifiers: ['Control'] });
  await (await made.contextMenu()).choose('Compare with Image…');
  await until('the differences are offered', async () =>
    (await workbench.quickInput.settled()).includes('/etc/group'),
  );
  await workbench.quickInput.pick('/etc/passwd');
  await workbench.editor.tab(/passwd \(busybox:latest ↔ busybox:2\)/);
  await workbench.page.locator('.editor.modified .view-line', { hasText: /^second$/ }).waitFor();
  await (await made.contextMenu()).choose('Compare with Image…');
  await workbench.quickInput.pick('Show All Differences');
  const all = (await workbench.editor.shows('+ env MODE=new')).join('\n');
  assert.match(all, /The first layer is the same\./);
  assert.match(all, /content {2}\/etc\/passwd {2}162 B → 169 B/);
});
