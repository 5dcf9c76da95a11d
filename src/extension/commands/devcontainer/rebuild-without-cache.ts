/** `pinnace.devcontainer.rebuildWithoutCache`: makes a folder's container anew, and every step of its image. */
import { openFolder } from '../../devcontainer/open.ts';
import type { Command } from '../desk.ts';
import { folderOf } from './folders.ts';

export const devcontainerRebuildWithoutCache: Command = {
  id: 'pinnace.devcontainer.rebuildWithoutCache',
  title: 'Rebuild Container Without Cache',
  run: async (desk, targets, argument) => {
    const folder = await folderOf(
      desk,
      targets,
      argument,
      'Rebuild the Container of Which Folder?',
    );
    if (folder !== undefined) await openFolder(desk, folder, { rebuild: 'clean' });
  },
};
