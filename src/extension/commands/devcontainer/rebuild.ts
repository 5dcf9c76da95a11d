/** `pinnace.devcontainer.rebuild`: makes a folder's container anew, from the build cache where it can. */
import { openFolder } from '../../devcontainer/open.ts';
import type { Command } from '../desk.ts';
import { folderOf } from './folders.ts';

export const devcontainerRebuild: Command = {
  id: 'pinnace.devcontainer.rebuild',
  title: 'Rebuild Container',
  icon: '$(refresh)',
  run: async (desk, targets, argument) => {
    const folder = await folderOf(
      desk,
      targets,
      argument,
      'Rebuild the Container of Which Folder?',
    );
    if (folder !== undefined) await openFolder(desk, folder, { rebuild: 'cached' });
  },
};
