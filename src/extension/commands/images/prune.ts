/** `pinnace.image.prune`: removes images without a name, or all that no container uses, after saying how much that frees. */
import type { Client } from '../../../client/api/client.ts';
import { standInsOf } from '../../../client/files/stand-ins.ts';
import { EngineError } from '../../../lib/errors.ts';
import type { ImageSummary } from '../../../lib/api/images.ts';
import { sizeText } from '../../../lib/text/amounts.ts';
import type { Command } from '../desk.ts';
import { count } from '../each.ts';
import { confirmRemoval, pickUnused } from '../removal.ts';
import { CONTAINERS, imageNodes } from '../targets.ts';

interface Unused {
  readonly dangling: readonly ImageSummary[];
  readonly all: readonly ImageSummary[];
}

export const prune: Command = {
  id: 'pinnace.image.prune',
  title: 'Remove Unused…',
  category: 'Pinnace Images',
  icon: '$(clear-all)',
  run: async (desk) => {
    const { client } = await desk.engines.ready();
    const { dangling, all } = await unusedImages(client);
    if (all.length === 0) throw new EngineError('conflict', 'Every image is used by a container.');
    const chosen = await pickUnused(desk, 'Remove which images?', {
      nameless: {
        items: dangling,
        detail: 'What builds and pulls left behind when a name went to a newer image',
        none: 'Every image has a name.',
      },
      all: { items: all, detail: 'Every image that no container uses, running or stopped' },
      describe: (items) => `${count(items.length, 'image')}, up to ${spaceOf(items)}`,
    });
    if (chosen === undefined) return;
    const what = count(chosen.length, 'image');
    const names = chosen.flatMap(imageNodes).map(({ reference }) => reference.slice(0, 60));
    const more = names.length > 10 ? ` and ${String(names.length - 10)} more` : '';
    const list = `${names.slice(0, 10).join(', ')}${more}`;
    if (!(await confirmRemoval(desk, { what, list }))) return;
    await standInsOf(client).releaseIdle();
    const answer = await desk.progress('Removing unused images', () =>
      client.images.prune({ dangling: [chosen === all ? 'false' : 'true'] }),
    );
    const deleted = (answer.ImagesDeleted ?? []).filter((item) => item.Deleted !== undefined);
    await desk.inform(
      deleted.length === 0
        ? 'No image could be removed.'
        : `Removed ${what}; ${sizeText(answer.SpaceReclaimed)} came free.`,
    );
  },
};

async function unusedImages(client: Client): Promise<Unused> {
  const [images, containers] = await Promise.all([client.images.list(), CONTAINERS.list(client)]);
  const used = new Set(containers.map(({ summary }) => summary.ImageID));
  const all = images.filter(({ Id }) => !used.has(Id));
  return {
    all,
    dangling: all.filter((image) =>
      imageNodes(image).some(({ reference }) => reference === image.Id),
    ),
  };
}

/** An upper bound: layers that are shared with an image that stays do not go. */
function spaceOf(images: readonly ImageSummary[]): string {
  return sizeText(images.reduce((sum, { Size }) => sum + Size, 0));
}
