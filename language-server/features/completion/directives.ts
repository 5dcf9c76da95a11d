/** Completes parser directives in the comments at the top of a file, and hadolint's pragmas above instructions. */
import { type CompletionItem, CompletionItemKind } from 'vscode-languageserver/node';
import { BUILD_CHECKS, DIRECTIVES } from '../../../src/lib/dockerfile/manual/directives.ts';
import type { Dockerfile, Range } from '../../../src/lib/dockerfile/syntax.ts';
import { itemsAt } from './items.ts';

const NAMES = ['syntax', 'escape', 'check'] as const;

/** `text` is the comment up to the cursor, `line` the whole comment. */
export function directives(
  file: Dockerfile,
  { text, line }: { readonly text: string; readonly line: Range },
): CompletionItem[] {
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
    const place = { start: rest.start - begun.length, end: rest.start };
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

/** Nothing but directives stands above. */
function isAtTop({ text }: Dockerfile, offset: number): boolean {
  const before = text.slice(0, Math.min(offset, 4096)).replace(/^\ufeff/, '');
  return offset <= 4096 && /^(\s*#\s*[a-z]+\s*=.*\n)*\s*$/i.test(before);
}
