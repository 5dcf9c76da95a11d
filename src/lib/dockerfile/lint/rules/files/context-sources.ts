/** Reads which paths of the build context an instruction copies. */
import type { AddInstruction, CopyInstruction, Word } from '../../../syntax.ts';

export interface ContextSource {
  /** Without leading `/` and `./`; `.` is the context itself. */
  readonly path: string;
  readonly word: Word;
}

/** Names as most are: no dot or slash at the beginning, none that stand together, no slash at the end. */
const PLAIN = /^(?:[\w-]+[./])*[\w-]+$/;
const REMOTE = /^[a-z][a-z0-9+.-]*:\/\/|^git@/i;

/** The sources that stand in the build context under a fixed name or pattern; none for COPY --from. */
export function contextSources(instruction: CopyInstruction | AddInstruction): ContextSource[] {
  if (instruction.kind === 'COPY' && instruction.from !== undefined) return [];
  const found: ContextSource[] = [];
  for (const word of instruction.sources) {
    const { text } = word;
    const isPlain = PLAIN.test(text);
    if (!isPlain && (text.includes('$') || text.includes('<<') || REMOTE.test(text))) continue;
    const path = isPlain ? text : cleanSource(text.replaceAll(/^["']|["']$/g, ''));
    if (path !== undefined) found.push({ path, word });
  }
  return found;
}

/** The path with `.` and `..` worked out as the builder does: nothing is above the context. */
function cleanSource(text: string): string | undefined {
  if (text === '') return undefined;
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.length === 0 ? '.' : parts.join('/');
}
