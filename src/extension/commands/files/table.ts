/** The commands on files, in the order of package.json. */
import type { Command } from '../desk.ts';
import { changes, compareWithImage, more, openFolder, refresh } from './compare.ts';
import { copyPath, newFile, newFolder, open, remove, rename } from './edit.ts';
import { download, upload, uploadFolder } from './transfer.ts';

export const FILE_COMMANDS: readonly Command[] = [
  open,
  newFile,
  newFolder,
  rename,
  remove,
  compareWithImage,
  changes,
  upload,
  uploadFolder,
  download,
  openFolder,
  copyPath,
  refresh,
  more,
];
