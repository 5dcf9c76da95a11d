/** Uploads into containers and volumes, and downloads from them and from images. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import {
  download as copyOut,
  type Transfer,
  type Transferred,
  upload as copyIn,
} from '../../../client/files/transfer.ts';
import { joinPath, nameOf, type Tree } from '../../../client/files/tree.ts';
import { EngineError } from '../../../lib/errors.ts';
import { above, below, type FileAddress } from '../../files/address.ts';
import type { Node } from '../../views/nodes.ts';
import type { Command, Desk } from '../desk.ts';
import { count } from '../each.ts';
import { choosePlace, nameProblem, ownerText, storeOf } from './targets.ts';

const CATEGORY = 'Pinnace Files';

export const download: Command = {
  id: 'pinnace.file.download',
  title: 'Download…',
  category: CATEGORY,
  icon: '$(cloud-download)',
  run: async (desk, targets) => {
    const place = await choosePlace(desk, targets, { title: 'Download', value: '/' });
    if (place === undefined) return;
    const store = storeOf(desk);
    const tree = await store.tree(place);
    const entry = await tree.stat(place.path);
    const isFile = (entry.targetType ?? entry.type) === 'file';
    const name = place.path === '/' ? ownerText(desk, place) : nameOf(place.path);
    const target = isFile
      ? await desk.chooseTarget({ title: 'Download', name })
      : await folderFor(desk, name);
    if (target === undefined) return;
    // What the user agreed to replace stays until all of the new is there.
    const part = `${target}.${randomUUID().slice(0, 8)}.part`;
    const done = await desk.progress(`Downloading ${name}`, async (signal, report) => {
      const onFile = (message: string): void => report({ message });
      try {
        const copied = await copyOut(tree, place.path, part, { signal, onFile });
        await rename(part, target);
        return copied;
      } catch (error) {
        await rm(part, { recursive: true, force: true });
        if (signal.aborted)
          throw new EngineError('cancelled', 'the download was cancelled', { cause: error });
        throw error;
      }
    });
    await tell(desk, `Downloaded ${count(done.files, 'file')} to ${target}.`, done);
  },
};

async function folderFor(desk: Desk, name: string): Promise<string | undefined> {
  const parent = await desk.chooseFile({ title: `Download ${name} into`, folder: true });
  if (parent === undefined) return undefined;
  const target = join(parent, name);
  if (existsSync(target))
    throw new EngineError('conflict', `${target} is there already: choose another folder.`);
  return target;
}

async function tell(desk: Desk, text: string, { left }: Transferred): Promise<void> {
  if (left.length === 0) {
    await desk.inform(text);
    return;
  }
  const show = 'Show What';
  const chosen = await desk.inform(
    `${text} ${left.length === 1 ? '1 entry was' : `${String(left.length)} entries were`} left out.`,
    show,
  );
  if (chosen === show) await desk.show({ name: 'left-out.txt', text: `${left.join('\n')}\n` });
}

export const upload: Command = {
  id: 'pinnace.file.upload',
  title: 'Upload File…',
  category: CATEGORY,
  icon: '$(cloud-upload)',
  run: (desk, targets, argument) => uploadChosen(desk, targets, { argument, folder: false }),
};

export const uploadFolder: Command = {
  id: 'pinnace.file.uploadFolder',
  title: 'Upload Folder…',
  category: CATEGORY,
  run: (desk, targets) => uploadChosen(desk, targets, { argument: undefined, folder: true }),
};

/** What is dropped on a row comes as the argument: the row, and paths on the disk or contents from elsewhere. */
export interface Dropped {
  readonly target: Node;
  readonly paths?: readonly string[];
  readonly files?: readonly BroughtFile[];
}

/** A file of the machine that the browser runs on. */
export interface BroughtFile {
  readonly name: string;
  readonly read: () => Promise<Uint8Array>;
}

/** A file or folder that is to be uploaded, wherever it is. */
interface Source {
  readonly name: string;
  readonly put: (tree: Tree, folder: string, transfer: Transfer) => Promise<Transferred>;
}

async function uploadChosen(
  desk: Desk,
  targets: readonly Node[],
  { argument, folder }: { readonly argument: unknown; readonly folder: boolean },
): Promise<void> {
  const dropped = isDropped(argument) ? argument : undefined;
  const rows = dropped === undefined ? targets : [dropped.target];
  const place = await choosePlace(desk, rows, { title: 'Upload', value: '/tmp' });
  if (place === undefined) return;
  if (place.kind === 'image') throw new EngineError('forbidden', 'Images cannot be changed.');
  const [row] = rows;
  const isFile = row?.kind === 'file' && (row.type === 'file' || row.type === 'other');
  const into = isFile ? above(place) : place;
  const paths = dropped === undefined ? await chosenPaths(desk, { folder }) : (dropped.paths ?? []);
  const sources = [...paths.map(fromDisk), ...(dropped?.files ?? []).map(fromElsewhere)];
  if (sources.length > 0) await uploadAll(desk, into, sources);
}

function fromDisk(path: string): Source {
  return {
    name: basename(path),
    put: (tree, folder, transfer) => copyIn(tree, path, folder, transfer),
  };
}

function fromElsewhere({ name, read }: BroughtFile): Source {
  return {
    name,
    put: async (tree, folder, { signal, onFile }) => {
      const problem = nameProblem(name);
      if (problem !== undefined) throw new EngineError('invalid', `${name}: ${problem}`);
      onFile(name);
      const bytes = Buffer.from(await read());
      const body = Readable.from(bytes.length === 0 ? [] : [bytes], { objectMode: false });
      await tree.write(joinPath(folder, name), { body, size: bytes.length }, { signal });
      return { files: 1, left: [] };
    },
  };
}

async function chosenPaths(
  desk: Desk,
  { folder }: { readonly folder: boolean },
): Promise<string[]> {
  const path = await desk.chooseFile({ title: folder ? 'Upload Folder' : 'Upload File', folder });
  return path === undefined ? [] : [path];
}

async function uploadAll(desk: Desk, into: FileAddress, sources: readonly Source[]): Promise<void> {
  const store = storeOf(desk);
  const tree = await store.tree(into);
  const there: string[] = [];
  for (const { name } of sources) {
    const target = below(into, name).path;
    const found = await tree.stat(target).catch(() => undefined);
    if (found !== undefined) there.push(target);
  }
  const owner = ownerText(desk, into);
  if (there.length > 0) {
    const sure = await desk.confirm({
      message: `Write over what is in ${owner}?`,
      detail: `${there.slice(0, 10).join(', ')}: files of the same names are replaced.`,
      action: 'Upload',
    });
    if (!sure) return;
  }
  const [only, ...others] = sources;
  const what =
    only !== undefined && others.length === 0 ? only.name : count(sources.length, 'file');
  const sum = await desk.progress(`Uploading ${what} to ${owner}`, async (signal, report) => {
    let files = 0;
    const left: string[] = [];
    const onFile = (message: string): void => report({ message });
    try {
      for (const source of sources) {
        const done = await source.put(tree, into.path, { signal, onFile });
        files += done.files;
        left.push(...done.left);
      }
    } catch (error) {
      if (signal.aborted)
        throw new EngineError('cancelled', 'the upload was cancelled', { cause: error });
      throw error;
    } finally {
      store.tell(sources.map(({ name }) => ({ address: below(into, name), what: 'changed' })));
    }
    return { files, left };
  });
  await tell(desk, `Uploaded ${count(sum.files, 'file')} to ${into.path} in ${owner}.`, sum);
}

function isDropped(value: unknown): value is Dropped {
  if (typeof value !== 'object' || value === null || !('target' in value)) return false;
  return 'paths' in value || 'files' in value;
}
