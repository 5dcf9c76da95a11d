/** `pinnace.devcontainer.openFolder`: asks for a folder of this machine and opens it in its dev container. */
import { openFolder } from '../../devcontainer/open.ts';
import type { Command } from '../desk.ts';

export const devcontainerOpenFolder: Command = {
  id: 'pinnace.devcontainer.openFolder',
  title: 'Open Folder in Container…',
  icon: '$(folder-opened)',
  run: async (desk) => {
    const folder = await desk.chooseFile({ title: 'Open Folder in Container', folder: true });
    if (folder !== undefined) await openFolder(desk, folder, { rebuild: 'no' });
  },
};
