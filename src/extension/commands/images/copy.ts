/** Copying what an image is called by: its name, id and digest. */
import { EngineError } from '../../../lib/errors.ts';
import { familiarName, parseReference } from '../../../lib/image/reference.ts';
import type { ImageNode } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { chooseMany, imageName, IMAGES } from '../targets.ts';

interface Part {
  readonly id: string;
  readonly title: string;
  readonly accept?: (node: ImageNode) => boolean;
  readonly none: string;
  readonly text: (node: ImageNode) => string;
}

const PARTS: readonly Part[] = [
  {
    id: 'copyName',
    title: 'Copy Name',
    accept: ({ reference }) => !reference.startsWith('sha256:'),
    none: 'The image has no name.',
    text: ({ reference }) => reference,
  },
  { id: 'copyId', title: 'Copy ID', none: 'There is no image.', text: ({ id }) => id },
  { id: 'copyDigest', title: 'Copy Digest', none: 'There is no image.', text: digestOf },
];

export const COPY: readonly Command[] = PARTS.map(({ id, title, accept, none, text }) => ({
  id: `pinnace.image.${id}`,
  title,
  category: 'Pinnace Images',
  run: async (desk, targets) => {
    const nodes = await chooseMany(desk, IMAGES, targets, {
      title: `${title} of which images?`,
      none,
      ...(accept === undefined ? {} : { accept }),
    });
    if (nodes !== undefined) await desk.copy(nodes.map(text).join('\n'));
  },
}));

/** `repository@sha256:…`: of the node's own repository where it was pulled from or pushed to several. */
function digestOf(node: ImageNode): string {
  const digests = (node.summary.RepoDigests as string[] | null) ?? [];
  const own = node.reference.startsWith('sha256:')
    ? undefined
    : familiarName(parseReference(node.reference));
  const found = digests.find((digest) => digest.startsWith(`${own ?? ''}@`)) ?? digests[0];
  if (found === undefined || found.startsWith('<none>'))
    throw new EngineError(
      'not-found',
      `${imageName(node)} has no digest: it was never pulled or pushed.`,
    );
  return found;
}
