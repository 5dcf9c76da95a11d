/** Completes instructions where one begins, within ONBUILD too, and the snippets for them. */
import {
  type CompletionItem,
  CompletionItemKind,
  CompletionItemTag,
} from 'vscode-languageserver/node';
import { FILE_SNIPPETS, INSTRUCTIONS } from '../../../src/lib/dockerfile/manual/instructions.ts';
import { INSTRUCTION_KINDS } from '../../../src/lib/dockerfile/statement.ts';
import type { Dockerfile, InstructionKind } from '../../../src/lib/dockerfile/syntax.ts';
import type { Cursor } from '../cursor.ts';
import { type Abilities, itemsAt, snippetsAt } from './items.ts';

type KeywordCursor = Extract<Cursor, { kind: 'keyword' }>;

export function keywords(
  file: Dockerfile,
  { range, typed, held }: KeywordCursor,
  abilities: Abilities,
): CompletionItem[] {
  const allowed = allowedAt(file, range.start, held ? 'ONBUILD' : undefined);
  const written = file.text.slice(range.start, range.end);
  const lower = written === '' ? isLower(file) : written === written.toLowerCase();
  const items = itemsAt(
    file,
    range,
    allowed.map((kind) => {
      const label = lower ? kind.toLowerCase() : kind;
      return {
        label,
        insert: `${label} `,
        kind: CompletionItemKind.Keyword,
        detail: INSTRUCTIONS[kind].summary,
        manual: `instruction/${kind}`,
      };
    }),
  ).map((item, index): CompletionItem =>
    allowed[index] === 'MAINTAINER' ? { ...item, tags: [CompletionItemTag.Deprecated] } : item,
  );
  if (!abilities.snippets) return items;
  const wanted = typed.toUpperCase();
  const near = allowed.filter((kind) => kind.startsWith(wanted));
  const own = near.flatMap((kind) => INSTRUCTIONS[kind].snippets);
  const whole = file.stages.length === 0 && !held ? FILE_SNIPPETS : [];
  return [...items, ...snippetsAt(file, range, { snippets: [...own, ...whole], lower })];
}

/** Before the first FROM only ARG and FROM make sense. */
function allowedAt(
  file: Dockerfile,
  offset: number,
  within: 'ONBUILD' | undefined,
): readonly InstructionKind[] {
  const first = file.stages[0]?.range.start;
  const isTop = within === undefined && (first === undefined || offset < first);
  return INSTRUCTION_KINDS.filter((kind) => {
    if (within === 'ONBUILD') return kind !== 'ONBUILD' && kind !== 'FROM' && kind !== 'MAINTAINER';
    return !isTop || kind === 'ARG' || kind === 'FROM';
  });
}

/** The file's own habit, by its first instruction. */
function isLower({ instructions }: Dockerfile): boolean {
  const text = instructions[0]?.keyword.text ?? '';
  return text !== '' && text === text.toLowerCase();
}
