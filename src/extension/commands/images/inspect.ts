/** `pinnace.image.inspect` and `pinnace.image.history`: what the engine knows of an image, as read-only documents. */
import type { ImageHistoryItem } from '../../../lib/api/images.ts';
import { sizeText } from '../../../lib/text/amounts.ts';
import { tableText } from '../containers/inspect.ts';
import type { Command } from '../desk.ts';
import { chooseMany, imageName, IMAGES, shortId } from '../targets.ts';

export const inspect: Command = {
  id: 'pinnace.image.inspect',
  title: 'Inspect',
  category: 'Pinnace Images',
  icon: '$(info)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, IMAGES, targets, {
      title: 'Inspect which images?',
      none: 'There is no image.',
    });
    const { client } = await desk.engines.ready();
    for (const node of nodes ?? []) {
      const answer = await client.images.inspect(node.reference);
      await desk.show({
        name: `${fileName(imageName(node))}.json`,
        text: `${JSON.stringify(answer, null, 2)}\n`,
        language: 'json',
      });
    }
  },
};

export const history: Command = {
  id: 'pinnace.image.history',
  title: 'Show History',
  category: 'Pinnace Images',
  icon: '$(history)',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, IMAGES, targets, {
      title: 'Show the history of which images?',
      none: 'There is no image.',
    });
    const { client } = await desk.engines.ready();
    for (const node of nodes ?? []) {
      const items = await client.images.history(node.reference);
      await desk.show({
        name: `History of ${fileName(imageName(node))}`,
        text: historyText(items),
      });
    }
  },
};

/** One line a step, the newest first as engines tell it. */
export function historyText(items: readonly ImageHistoryItem[]): string {
  const rows = items.map(({ Id, Created, CreatedBy, Size, Comment }) => [
    Id === '<missing>' || Id === '' ? '' : shortId(Id),
    new Date(Created * 1000).toISOString().slice(0, 16).replace('T', ' '),
    sizeText(Size),
    instructionText(CreatedBy) +
      (Comment === '' || Comment === 'buildkit.dockerfile.v0' ? '' : `  (${Comment})`),
  ]);
  return tableText([['IMAGE', 'CREATED', 'SIZE', 'STEP'], ...rows]);
}

/** The instruction as it was written, without the shell that old builders noted around it. */
function instructionText(createdBy: string): string {
  return createdBy
    .replace(/^\/bin\/sh -c #\(nop\)\s+/, '')
    .replace(/^\/bin\/sh -c /, 'RUN ')
    .replace(/\s*# buildkit$/, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** A name that makes one segment of a path. */
function fileName(name: string): string {
  return name.replaceAll('/', '∕');
}
