/** Files of volumes in the explorer as a person comes to them: the same on our engine and on dockerd. */
import type { Tree } from '../parts/tree.ts';
import type { Bench } from '../rig.ts';

/** Makes the volume `store` with /sub/kept.txt, writes `more` below what that file says, and answers the tree of volumes. */
export async function editFileOfVolume({ workbench, docker }: Bench): Promise<Tree> {
  const mount = ['--rm', '--network', 'none', '-v', 'store:/v'];
  const make = 'mkdir /v/sub && echo kept > /v/sub/kept.txt';
  await docker('run', ...mount, 'busybox', 'sh', '-c', make);
  await workbench.activityBar.open('Pinnace');
  const { tree } = await workbench.sideBar.only('Volumes');
  await tree.unfold(/volume store/, /files of the volume/, /folder sub/);
  await (await tree.row(/file kept\.txt/).waitFor()).click();
  await workbench.editor.shows('kept');
  await workbench.editor.focus();
  await workbench.editor.press('Control+End');
  await workbench.editor.type('more');
  await workbench.editor.save();
  return tree;
}
