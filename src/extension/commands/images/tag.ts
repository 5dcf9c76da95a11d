/** `pinnace.image.tag`: gives an image another name. */
import { familiarName, parseReference, withDefaultTag } from '../../../lib/image/reference.ts';
import { referenceProblem } from '../containers/commit.ts';
import type { Command } from '../desk.ts';
import { forEach } from '../each.ts';
import { chooseOne, imageName, IMAGES } from '../targets.ts';

export const tag: Command = {
  id: 'pinnace.image.tag',
  title: 'Tag…',
  category: 'Pinnace Images',
  icon: '$(tag)',
  run: async (desk, targets) => {
    const node = await chooseOne(desk, IMAGES, targets, {
      title: 'Tag which image?',
      none: 'There is no image.',
    });
    if (node === undefined) return;
    const name = await desk.ask({
      title: `Tag ${imageName(node)}`,
      prompt: 'New name',
      placeholder: 'registry.example.com/app:1.0',
      value: node.reference.startsWith('sha256:') ? '' : node.reference,
      check: referenceProblem,
    });
    if (name === undefined || name.trim() === node.reference) return;
    const reference = withDefaultTag(parseReference(name.trim()));
    const { client } = await desk.engines.ready();
    await forEach(desk, {
      doing: 'Tagging',
      verb: 'tag',
      one: 'image',
      items: [node],
      name: imageName,
      run: (item) =>
        client.images.tag(item.reference, familiarName(reference), reference.tag ?? 'latest'),
    });
  },
};
