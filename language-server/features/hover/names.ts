/** What hover says of stages and heredocs. */
import type { Occurrence } from '../../../src/lib/dockerfile/scope/names.ts';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import type { Described } from './hover.ts';

/** Undefined for variables: their value at a place says more. */
export function describeName(
  file: Dockerfile,
  { named, range, instruction, role }: Occurrence,
): Described | undefined {
  const uses = named.occurrences.length - 1;
  if (named.kind === 'stage' && named.stage !== undefined) {
    const { index, name, from, instructions } = named.stage;
    if (role === 'definition' && name === undefined) return undefined;
    const last = index === file.stages.length - 1 ? ', built unless `--target` says otherwise' : '';
    const title = `Stage ${String(index)}${name === undefined ? '' : ` \`${from.name?.text ?? name}\``}${last}.`;
    const facts = `${count(instructions.length, 'instruction')}, used ${count(uses, 'time')}.`;
    const source = ['```dockerfile', file.text.slice(from.range.start, from.range.end), '```'];
    return { range, text: [title, source.join('\n'), facts].join('\n\n') };
  }
  if (named.kind !== 'heredoc' || !('heredocs' in instruction)) return undefined;
  const heredoc = instruction.heredocs.find(({ name }) => name === named.name);
  if (heredoc === undefined) return undefined;
  const { content, expand, chomp } = heredoc;
  const lines = content === '' ? 0 : content.split('\n').length - 1;
  const expansion =
    instruction.kind === 'RUN'
      ? 'The shell reads it.'
      : expand
        ? 'Variables in it are expanded (quote the name to keep them as they are).'
        : 'Variables in it stay as they are, since the name is quoted.';
  const tabs = chomp ? ' Tabs at the start of its lines are taken off.' : '';
  return { range, text: `Heredoc of ${count(lines, 'line')}. ${expansion}${tabs}` };
}

function count(number: number, word: string): string {
  return `${String(number)} ${word}${number === 1 ? '' : 's'}`;
}
