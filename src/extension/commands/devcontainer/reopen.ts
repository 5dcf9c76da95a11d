/** `pinnace.devcontainer.reopen`, `rebuild` and `rebuildWithoutCache`: open the window's folder, or a row's, in its dev container, the one that is there or one made anew. */
import { type FolderOptions, openFolder } from '../../devcontainer/open.ts';
import type { Command } from '../desk.ts';
import { folderOf } from './folders.ts';

const REBUILD = 'Rebuild the Container of Which Folder?';

export const devcontainerReopen = opening('no', 'Reopen Which Folder in Its Container?', {
  id: 'pinnace.devcontainer.reopen',
  title: 'Reopen in Container',
  icon: '$(remote)',
});

export const devcontainerRebuild = opening('cached', REBUILD, {
  id: 'pinnace.devcontainer.rebuild',
  title: 'Rebuild Container',
  icon: '$(refresh)',
});

export const devcontainerRebuildWithoutCache = opening('clean', REBUILD, {
  id: 'pinnace.devcontainer.rebuildWithoutCache',
  title: 'Rebuild Container Without Cache',
});

function opening(
  rebuild: FolderOptions['rebuild'],
  question: string,
  words: Omit<Command, 'run'>,
): Command {
  return {
    ...words,
    run: async (desk, targets, argument) => {
      const folder = await folderOf(desk, targets, argument, question);
      if (folder !== undefined) await openFolder(desk, folder, { rebuild });
    },
  };
}
