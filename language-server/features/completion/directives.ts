/** Completes parser directives in the comments at the top of a file, and hadolint's pragmas above instructions. */
import { type CompletionItem, CompletionItemKind } from 'vscode-languageserver/node';
import { BUILD_CHECKS, DIRECTIVES } from '../../../src/lib/dockerfile/manual/directives.ts';
import { RULES } from '../../../src/lib/dockerfile/lint/table.ts';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { type Draft, itemsAt } from './items.ts';

const NAMES = ['syntax', 'escape', 'check'] as const;

/** `text` is the comment up to the cursor, `line` the whole comment. */
export function directives(
  file: Dockerfile,
  { text, line }: { readonly text: string; readonly line: Range },
): CompletionItem[] {
  const pragma = pragmas(file, text, line);
  if (pragma !== undefined) return pragma;
  if (!isAtTop(file, line.start)) return [];
  const offset = line.start + text.length;
  const named = /^#\s*([a-z]*)$/i.exec(text);
  if (named !== null) {
    const start = offset - (named[1] ?? '').length;
    const end = /^[a-z]*=?/i.exec(file.text.slice(offset))?.[0].length ?? 0;
    const free = NAMES.filter((name) => {
      const found = file.directives[name];
      return found === undefined || found.range.start === line.start;
    });
    return itemsAt(
      file,
      { start, end: offset + end },
      free.map((name) => ({
        label: name,
        insert: `${name}=`,
        detail: DIRECTIVES[name].summary,
        kind: CompletionItemKind.Property,
        manual: `directive/${name}`,
      })),
    );
  }
  return values(file, text, { start: offset, end: line.end });
}

function values(file: Dockerfile, text: string, rest: Range): CompletionItem[] {
  const found = /^#\s*(syntax|escape|check)\s*=\s*(.*)$/i.exec(text);
  const name = NAMES.find((known) => known === found?.[1]?.toLowerCase());
  const value = found?.[2] ?? '';
  if (name === undefined) return [];
  if (name === 'check' && /skip=[^;]*$/.test(value)) {
    const begun = /[^=,;]*$/.exec(value)?.[0] ?? '';
    const behind = /^[^,;\s]*/.exec(file.text.slice(rest.start, rest.end))?.[0].length ?? 0;
    const place = { start: rest.start - begun.length, end: rest.start + behind };
    return itemsAt(
      file,
      place,
      BUILD_CHECKS.map((label) => ({ label, kind: CompletionItemKind.EnumMember })),
    );
  }
  const begun = name === 'check' ? (/[^;]*$/.exec(value)?.[0] ?? '') : value;
  const place = { start: rest.start - begun.length, end: rest.end };
  return itemsAt(
    file,
    place,
    DIRECTIVES[name].values.map((one) => ({
      label: one.value,
      detail: one.summary,
      kind: CompletionItemKind.Value,
    })),
  );
}

/** The linter's comments: what they may say behind `# hadolint`, and the rules that they name; undefined for other comments. */
function pragmas(file: Dockerfile, text: string, line: Range): CompletionItem[] | undefined {
  const offset = line.start + text.length;
  const behind = file.text.slice(offset, line.end);
  const place = (begun: string, rest: RegExp): Range => ({
    start: offset - begun.length,
    end: offset + (rest.exec(behind)?.[0].length ?? 0),
  });
  const words = /^#\s*(?:hadolint|pinnace)\s+((?:global\s+)?[a-z]*)$/i.exec(text)?.[1];
  if (words !== undefined)
    return itemsAt(file, place(words, /^[a-z]*(?: +ignore)?(?: *=)?/), PRAGMAS);
  const list = LIST.exec(text);
  if (list === null) return undefined;
  const there = new Set((list[2] ?? '').split(',').map((name) => name.trim()));
  const isShell = list[1] !== undefined;
  const rules = RULES.flatMap(({ id, aliases, summary }) =>
    [id, ...aliases]
      .filter((label) => !isShell || /^SC\d{4}$/.test(label))
      .map((label) => ({ label, detail: summary })),
  );
  const kind = CompletionItemKind.EnumMember;
  const drafts = rules.filter(({ label }) => !there.has(label)).map((one) => ({ ...one, kind }));
  return itemsAt(file, place(list[3] ?? '', /^[\w-]*/), drafts);
}

/** Whether it is the shell's own, the names before the cursor's, and the cursor's up to it. */
const LIST =
  /^#\s*(?:(?:hadolint|pinnace)\s+(?:global\s+)?ignore|(shellcheck)\s+disable)\s*=\s*((?:[\w-]+\s*,\s*)*)([\w-]*)$/i;

const PRAGMAS: readonly Draft[] = [
  { label: 'ignore=', detail: 'rules that the next instruction may break' },
  { label: 'global ignore=', detail: 'rules that the whole file may break' },
].map((one) => ({ ...one, kind: CompletionItemKind.Property }));

/** Nothing but directives stands above. */
function isAtTop({ text }: Dockerfile, offset: number): boolean {
  const before = text.slice(0, Math.min(offset, 4096)).replace(/^\ufeff/, '');
  return offset <= 4096 && /^(\s*#\s*[a-z]+\s*=.*\n)*\s*$/i.test(before);
}
