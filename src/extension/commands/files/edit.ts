/** Files of containers and volumes that are opened, made, renamed and deleted. */
import { nameOf } from '../../../client/files/tree.ts';
import { EngineError } from '../../../lib/errors.ts';
import {
  above,
  addressText,
  below,
  type FileAddress,
  parseAddressText,
} from '../../files/address.ts';
import type { FileNode, Node } from '../../views/nodes.ts';
import type { Command, Desk } from '../desk.ts';
import { forEach, named } from '../each.ts';
import { choosePlace, nameProblem, ownerText, selectedFiles, SHOW, storeOf } from './targets.ts';

const CATEGORY = 'Pinnace Files';

export const open: Command = {
  id: 'pinnace.file.open',
  title: 'Open',
  category: CATEGORY,
  icon: '$(go-to-file)',
  run: async (desk, targets) => {
    if (targets.length === 0) {
      const place = await choosePlace(desk, [], { title: 'Open File', value: '/etc/' });
      if (place !== undefined) await desk.execute(SHOW, addressText(place));
      return;
    }
    for (const { uri, type } of selectedFiles(targets, 'open'))
      if (type === 'file') await desk.execute(SHOW, uri);
  },
};

/** Asks for a name in the selected folder, or beside the selected file. */
async function askNew(
  desk: Desk,
  targets: readonly Node[],
  title: string,
): Promise<FileAddress | undefined> {
  const [node] = targets;
  const place = await choosePlace(desk, targets, { title, value: '/tmp' });
  if (place === undefined) return undefined;
  if (place.kind === 'image') throw new EngineError('forbidden', 'Images cannot be changed.');
  const isFile = node?.kind === 'file' && (node.type === 'file' || node.type === 'other');
  const folder = isFile ? above(place) : place;
  const name = await desk.ask({ title, prompt: `Name in ${folder.path}`, check: nameProblem });
  return name === undefined ? undefined : below(folder, name);
}

export const newFile: Command = {
  id: 'pinnace.file.new',
  title: 'New File…',
  category: CATEGORY,
  icon: '$(new-file)',
  run: async (desk, targets) => {
    const address = await askNew(desk, targets, 'New File');
    if (address === undefined) return;
    await storeOf(desk).write(address, new Uint8Array(), { create: true, overwrite: false });
    await desk.execute(SHOW, addressText(address));
  },
};

export const newFolder: Command = {
  id: 'pinnace.file.newFolder',
  title: 'New Folder…',
  category: CATEGORY,
  icon: '$(new-folder)',
  run: async (desk, targets) => {
    const address = await askNew(desk, targets, 'New Folder');
    if (address !== undefined) await storeOf(desk).makeFolder(address);
  },
};

export const rename: Command = {
  id: 'pinnace.file.rename',
  title: 'Rename…',
  category: CATEGORY,
  run: async (desk, targets) => {
    const [node] = selectedFiles(targets, 'rename');
    if (node === undefined) return;
    const from = changeable(node, 'renamed');
    const name = await desk.ask({
      title: 'Rename',
      prompt: `New name of ${from.path}`,
      value: node.name,
      check: nameProblem,
    });
    if (name === undefined || name === node.name) return;
    await storeOf(desk).rename(from, below(above(from), name), { overwrite: false });
  },
};

export const remove: Command = {
  id: 'pinnace.file.delete',
  title: 'Delete',
  category: CATEGORY,
  run: async (desk, targets) => {
    const nodes = outermost(selectedFiles(targets, 'delete'));
    const addresses = nodes.map((node) => changeable(node, 'deleted'));
    const [first] = addresses;
    if (first === undefined) return;
    const { what, list } = named(nodes, 'file', ({ path }) => path);
    const sure = await desk.confirm({
      message: `Delete ${what} in ${ownerText(desk, first)}?`,
      detail: [list, 'Folders go with all that is in them. It cannot be undone.']
        .filter((text) => text !== '')
        .join('\n'),
      action: 'Delete',
    });
    if (!sure) return;
    const store = storeOf(desk);
    await forEach(desk, {
      doing: 'Deleting',
      verb: 'delete',
      one: 'file',
      items: addresses,
      name: ({ path }) => nameOf(path),
      run: (address) => store.remove(address, { recursive: true }),
    });
  },
};

/** Without what lies below another selected folder: it goes with it. */
function outermost(nodes: readonly FileNode[]): readonly FileNode[] {
  const isBelow = (uri: string, folder: string): boolean =>
    uri !== folder && uri.startsWith(`${folder.replace(/\/$/, '')}/`);
  return nodes.filter(({ uri }) => !nodes.some((other) => isBelow(uri, other.uri)));
}

function changeable(node: FileNode, verb: string): FileAddress {
  if (node.type === 'root') throw new EngineError('invalid', `The root cannot be ${verb}.`);
  if (node.of === 'image')
    throw new EngineError('forbidden', `Images cannot be changed: ${node.path} cannot be ${verb}.`);
  return parseAddressText(node.uri);
}

export const copyPath: Command = {
  id: 'pinnace.file.copyPath',
  title: 'Copy Path',
  category: CATEGORY,
  run: async (desk, targets) => {
    const files = selectedFiles(targets, 'copy the path of');
    await desk.copy(files.map(({ path }) => path).join('\n'));
  },
};
