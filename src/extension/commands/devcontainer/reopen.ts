/** `pinnace.devcontainer.reopen`: opens the window's folder, or a row's, in its dev container. */
import { openFolder } from '../../devcontainer/open.ts';
import type { Command } from '../desk.ts';
import { folderOf } from './folders.ts';

export const devcontainerReopen: Command = {
  id: 'pinnace.devcontainer.reopen',
  title: 'Reopen in Container',
  icon: '$(remote)',
  run: async (desk, targets, argument) => {
    const folder = await folderOf(desk, targets, argument, 'Reopen Which Folder in Its Container?');
    if (folder !== undefined) await openFolder(desk, folder, { rebuild: 'no' });
  },
};
