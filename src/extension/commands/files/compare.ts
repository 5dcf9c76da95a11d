/** Files of a container beside those of its image; folders as a part of the workspace; looking again. */
import { EngineError } from '../../../lib/errors.ts';
import { addressText, type FileAddress } from '../../files/address.ts';
import type { Command, Desk } from '../desk.ts';
import { chooseOne, CONTAINERS } from '../targets.ts';
import { CHANGED, choosePlace, COMPARE, MOUNT, ownerText, SHOW, storeOf } from './targets.ts';

const CATEGORY = 'Pinnace Files';

/** The same path in the image of a container. */
async function inImage(desk: Desk, address: FileAddress): Promise<FileAddress> {
  if (address.kind !== 'container')
    throw new EngineError('invalid', 'Only files of containers have an image to be compared with.');
  const engine = await desk.engines.ready();
  const { Image: id } = await engine.client.containers.inspect(address.id);
  return { kind: 'image', id, path: address.path };
}

async function compare(desk: Desk, address: FileAddress): Promise<void> {
  const image = await inImage(desk, address);
  await storeOf(desk)
    .stat(image)
    .catch((cause: unknown) => {
      throw new EngineError('not-found', `The image has no ${address.path}.`, { cause });
    });
  const title = `${address.path} (image ↔ ${ownerText(desk, address)})`;
  await desk.execute(COMPARE, addressText(image), addressText(address), title);
}

export const compareWithImage: Command = {
  id: 'pinnace.file.compare',
  title: 'Compare with Image',
  category: CATEGORY,
  icon: '$(diff)',
  run: async (desk, targets) => {
    const place = await choosePlace(desk, targets, { title: 'Compare File', value: '/etc/' });
    if (place !== undefined) await compare(desk, place);
  },
};

const KINDS = ['changed', 'added', 'deleted'] as const;
const ICONS = { changed: '$(diff-modified)', added: '$(diff-added)', deleted: '$(diff-removed)' };

export const changes: Command = {
  id: 'pinnace.container.changes',
  title: 'Show Changed Files',
  category: CATEGORY,
  run: async (desk, targets) => {
    const container = await chooseOne(desk, CONTAINERS, targets, {
      title: 'Show the changed files of which container?',
      none: 'There are no containers.',
    });
    if (container === undefined) return;
    const { client } = await desk.engines.ready();
    const found = (await client.containers.changes(container.id)) ?? [];
    // A folder is listed as changed when something in it is: what is in it says more.
    const folders = new Set(found.map(({ Path }) => Path.slice(0, Path.lastIndexOf('/'))));
    const files = found.filter(({ Path, Kind }) => Kind !== 0 || !folders.has(Path));
    if (files.length === 0) {
      await desk.inform(`${container.name} has changed no file of its image.`);
      return;
    }
    const items = files.slice(0, 10_000).map(({ Path, Kind }) => ({
      label: `${ICONS[KINDS[Kind]]} ${Path}`,
      description: KINDS[Kind],
      value: { path: Path, kind: KINDS[Kind] },
    }));
    const chosen = await desk.pick(
      `${container.name}: ${String(files.length)} changed files`,
      items,
    );
    if (chosen === undefined) return;
    const address: FileAddress = { kind: 'container', id: container.id, path: chosen.path };
    if (chosen.kind === 'changed') await compare(desk, address);
    else {
      const place = chosen.kind === 'added' ? address : await inImage(desk, address);
      await desk.execute(SHOW, addressText(place));
    }
  },
};

export const openFolder: Command = {
  id: 'pinnace.file.openFolder',
  title: 'Add Folder to Workspace',
  category: CATEGORY,
  icon: '$(root-folder-opened)',
  run: async (desk, targets) => {
    const place = await choosePlace(desk, targets, { title: 'Add Folder', value: '/' });
    if (place === undefined) return;
    const entry = await storeOf(desk).stat(place);
    if ((entry.targetType ?? entry.type) !== 'directory')
      throw new EngineError('invalid', `${place.path} is no folder.`);
    const owner = ownerText(desk, place);
    const name = place.path === '/' ? owner : `${owner}: ${place.path}`;
    await desk.execute(MOUNT, addressText(place), name);
  },
};

export const refresh: Command = {
  id: 'pinnace.file.refresh',
  title: 'Refresh Files',
  category: CATEGORY,
  icon: '$(refresh)',
  run: async (desk, targets) => {
    const place = await choosePlace(desk, targets, { title: 'Refresh', value: '/' });
    if (place !== undefined) await desk.execute(CHANGED, [{ address: place, what: 'looked' }]);
  },
};

export const more: Command = {
  id: 'pinnace.file.more',
  title: 'Show More Files',
  category: CATEGORY,
  run: async (desk, targets) => {
    for (const node of targets)
      if (node.kind === 'file') await desk.execute('pinnace.files.page', node.uri);
  },
};
