/** What hover says of values of a known kind: ports, signals, labels. */
import { IMAGE_LABELS, PORTS, signalOf } from '../../../src/lib/dockerfile/manual/values.ts';
import { touches } from '../../../src/lib/dockerfile/scope/places.ts';
import type { Instruction } from '../../../src/lib/dockerfile/syntax.ts';
import type { Described } from './hover.ts';

export function describeValue(instruction: Instruction, offset: number): Described | undefined {
  if (instruction.kind === 'EXPOSE') {
    const word = instruction.words.find(({ range }) => touches(range, offset));
    return word && describePort(word);
  }
  if (instruction.kind === 'STOPSIGNAL' && touches(instruction.value.range, offset)) {
    const { text, range } = instruction.value;
    const signal = signalOf(text);
    return (
      signal && { range, text: `\`${signal.name}\` (${String(signal.number)}): ${signal.summary}.` }
    );
  }
  if (instruction.kind !== 'LABEL') return undefined;
  const pair = instruction.pairs.find(({ name }) => touches(name.range, offset));
  const label = pair?.name.text.replaceAll(/["']/g, '') ?? '';
  if (pair === undefined || !Object.hasOwn(IMAGE_LABELS, label)) return undefined;
  const link = 'https://github.com/opencontainers/image-spec/blob/main/annotations.md';
  const text = `\`${label}\`: ${IMAGE_LABELS[label] ?? ''}.\n\n[OCI image specification](${link})`;
  return { range: pair.name.range, text };
}

function describePort({
  text,
  range,
}: {
  text: string;
  range: Described['range'];
}): Described | undefined {
  const found = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(\w+))?$/.exec(text);
  const [, first, last, protocol = 'tcp'] = found ?? [];
  if (first === undefined) return undefined;
  if (last !== undefined) {
    const count = Number(last) - Number(first) + 1;
    if (count < 1) return undefined;
    return { range, text: `${String(count)} ports, ${protocol.toLowerCase()}.` };
  }
  const use = Object.hasOwn(PORTS, first) ? `, commonly ${PORTS[first] ?? ''}` : '';
  return { range, text: `Port ${first}, ${protocol.toLowerCase()}${use}.` };
}
