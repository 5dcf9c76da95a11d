/** `pinnace.image.layers` and `pinnace.image.compare`: what the layers of an image hold and waste, and how two images differ. */
import { readImage } from '../../../client/files/image-archive.ts';
import {
  differences,
  type FileDifference,
  type ImageContents,
  survey,
} from '../../../lib/image/contents.ts';
import { sizeText } from '../../../lib/text/amounts.ts';
import { addressText, type FileAddress } from '../../files/address.ts';
import type { ImageNode, Node } from '../../views/nodes.ts';
import type { Command, Desk, Step } from '../desk.ts';
import { COMPARE, SHOW } from '../files/targets.ts';
import { chooseMany, chooseOne, imageName, IMAGES } from '../targets.ts';
import { comparisonText, contentsText } from './contents-text.ts';

export const layers: Command = {
  id: 'pinnace.image.layers',
  title: 'Show Layer Contents',
  category: 'Pinnace Images',
  icon: '$(layers)',
  run: async (desk, targets) => {
    const node = await chooseOne(desk, IMAGES, targets, {
      title: 'Show the layers of which image?',
      none: 'There is no image.',
    });
    if (node === undefined) return;
    const contents = await read(desk, [node], { digests: false });
    const [found] = contents;
    if (found === undefined) return;
    await desk.show({
      name: `Layers of ${documentName(node)}`,
      text: contentsText(imageName(node), survey(found)),
    });
  },
};

export const compare: Command = {
  id: 'pinnace.image.compare',
  title: 'Compare with Image…',
  category: 'Pinnace Images',
  icon: '$(diff)',
  run: async (desk, targets) => {
    const pair = await choosePair(desk, targets);
    if (pair === undefined) return;
    const contents = await read(desk, pair, { digests: true });
    const [left, right] = contents;
    if (left === undefined || right === undefined) return;
    const [a, b] = [survey(left), survey(right)];
    const files = differences(a.seen, b.seen);
    const [before, after] = pair;
    const names: readonly [string, string] = [imageName(before), imageName(after)];
    const text = comparisonText(names, {
      configs: [left.config, right.config],
      surveys: [a, b],
      files,
    });
    await showDifferences(desk, pair, { files, text });
  },
};

/** Two that are selected, or one that is selected and one that is picked; the first is the older side. */
async function choosePair(
  desk: Desk,
  targets: readonly Node[],
): Promise<readonly [ImageNode, ImageNode] | undefined> {
  const selected = await chooseMany(desk, IMAGES, targets.slice(0, 2), {
    title: 'Compare which two images?',
    none: 'There is no image.',
  });
  const [first, second] = selected ?? [];
  if (first === undefined) return undefined;
  if (second !== undefined) return [first, second];
  const other = await chooseOne(desk, IMAGES, [], {
    title: `Compare ${imageName(first)} with which image?`,
    accept: ({ reference }) => reference !== first.reference,
    none: 'There is no other image.',
  });
  return other === undefined ? undefined : [first, other];
}

/** One after the other: an engine reads both from the same disk. */
async function read(
  desk: Desk,
  nodes: readonly ImageNode[],
  { digests }: { readonly digests: boolean },
): Promise<readonly ImageContents[]> {
  const { client } = await desk.engines.ready();
  const what = nodes.map(imageName).join(' and ');
  const total = nodes.reduce((sum, { summary }) => sum + summary.Size, 0);
  return desk.progress(`Reading ${what}`, async (signal, report: (step: Step) => void) => {
    let bytes = 0;
    let percent = 0;
    const onBytes = (count: number): void => {
      bytes += count;
      const now = total === 0 ? 0 : Math.min(99, Math.floor((bytes / total) * 100));
      if (now === percent) return;
      report({ message: sizeText(bytes), increment: now - percent });
      percent = now;
    };
    const found: ImageContents[] = [];
    for (const { reference } of nodes)
      found.push(await readImage(client, reference, { signal, digests, onBytes }));
    return found;
  });
}

const ICONS = { changed: '$(diff-modified)', added: '$(diff-added)', removed: '$(diff-removed)' };
/** A list of more is of no use; the document has all. */
const OFFERED = 5000;

/** All as a document, or one file of them beside its other. */
async function showDifferences(
  desk: Desk,
  [before, after]: readonly [ImageNode, ImageNode],
  { files, text }: { readonly files: readonly FileDifference[]; readonly text: string },
): Promise<void> {
  const title = `${imageName(before)} ↔ ${imageName(after)}`;
  const document = { name: `${documentName(before)} ↔ ${documentName(after)}`, text };
  const shown = files.filter(({ left, right }) => (left ?? right)?.type === 'file');
  if (shown.length === 0) {
    await desk.show(document);
    return;
  }
  const chosen = await desk.pick<FileDifference | 'all'>(title, [
    {
      label: '$(list-flat) Show All Differences',
      description: `settings, layers, ${String(files.length)} files and folders`,
      value: 'all',
    },
    ...shown.slice(0, OFFERED).map((file) => ({
      label: `${ICONS[file.kind]} /${file.path}`,
      description: descriptionOf(file),
      value: file,
    })),
  ]);
  if (chosen === undefined) return;
  if (chosen === 'all') {
    await desk.show(document);
    return;
  }
  const at = ({ id }: ImageNode): FileAddress => ({ kind: 'image', id, path: `/${chosen.path}` });
  if (chosen.kind === 'added') await desk.execute(SHOW, addressText(at(after)));
  else if (chosen.kind === 'removed') await desk.execute(SHOW, addressText(at(before)));
  else
    await desk.execute(
      COMPARE,
      addressText(at(before)),
      addressText(at(after)),
      `/${chosen.path} (${title})`,
    );
}

function descriptionOf({ kind, what, left, right }: FileDifference): string {
  if (kind !== 'changed') return `${kind}, ${sizeText((left ?? right)?.size ?? 0)}`;
  if (what === 'rights') return 'other rights';
  return `${sizeText(left?.size ?? 0)} → ${sizeText(right?.size ?? 0)}`;
}

/** A name that makes one segment of a path. */
function documentName(node: ImageNode): string {
  return imageName(node).replaceAll('/', '∕');
}
