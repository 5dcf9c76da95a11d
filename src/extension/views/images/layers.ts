/** The layers of an image out of its history: instructions as they were written, from the base upwards. Pure. */
import type { ImageHistoryItem } from '../../../lib/api/images.ts';
import type { LayerNode } from '../nodes.ts';
import type { Hover, Row } from '../row.ts';
import { clean, escapeMarkdown, size } from '../text.ts';

const NOP = /^\/bin\/sh -c #\(nop\)\s*/;
const SHELL = /^(?:\|\d+ (?:[^=\s]+=\S* )*)?\/bin\/sh -c\s+/;
const BUILDKIT = /\s*# buildkit\s*$/;

/** `/bin/sh -c #(nop)  CMD ["sh"]` → `CMD ["sh"]`; a shell's command → `RUN …`; BuildKit's remark is left out. */
export function instructionOf(createdBy: unknown): string {
  const text = (typeof createdBy === 'string' ? createdBy : '').replace(BUILDKIT, '');
  const bare = text.replace(NOP, '');
  if (bare !== text) return clean(bare.trim());
  const command = text.replace(SHELL, '');
  if (command !== text) return clean(`RUN ${command.trim()}`);
  return clean(text.replace(/^RUN (?:\|\d+ (?:[^=\s]+=\S* )*)?\/bin\/sh -c /, 'RUN ').trim());
}

/** From the base, 0 first; engines list them newest first. */
export function layersOf(image: string, history: readonly ImageHistoryItem[]): LayerNode[] {
  return history.toReversed().map(({ CreatedBy, Size, Comment }, index) => {
    const instruction = instructionOf(CreatedBy);
    const told = instruction === '' ? clean(Comment) : instruction;
    return {
      kind: 'layer',
      image,
      index,
      instruction: told === '' ? '(no instruction recorded)' : told,
      size: typeof Size === 'number' && Size > 0 ? Size : 0,
    };
  });
}

/** `below`: the bytes of the layers beneath it. */
export function layerRow(node: LayerNode, reference: string, below: number): Row {
  const { index, instruction, size: bytes } = node;
  const own = bytes === 0 ? 'no files' : size(bytes);
  return {
    id: `image/${reference}/layer/${index}`,
    label: instruction,
    description: bytes === 0 ? '' : `${size(bytes)} · ${size(below + bytes)} in all`,
    icon: bytes === 0 ? { name: 'circle-small', color: 'disabledForeground' } : { name: 'layers' },
    context: bytes === 0 ? 'layer empty' : 'layer',
    fold: 'leaf',
    accessible: `layer ${index + 1}, ${own}, ${instruction}`,
  };
}

export function layerHover(node: LayerNode): Hover {
  const own = node.size === 0 ? 'changes no files' : size(node.size);
  return {
    markdown: `**Layer ${node.index + 1}** · ${own}\n\n${escapeMarkdown(node.instruction)}`,
    commands: [],
  };
}
