/**
 * Owns the positions' unit of the wire. Features count UTF-16 code units; a client that asked for UTF-8 gets and sends
 * bytes, turned here and nowhere else.
 */
import type {
  ClientCapabilities,
  Position,
  Range,
  TextDocumentContentChangeEvent,
} from 'vscode-languageserver/node';
import { PositionEncodingKind } from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';

export type Encoding = 'utf-16' | 'utf-8';

/** UTF-16 where the client speaks it, as every client must; UTF-8 where that is its first choice. */
export function chooseEncoding({ general }: ClientCapabilities): Encoding {
  return general?.positionEncodings?.[0] === PositionEncodingKind.UTF8 ? 'utf-8' : 'utf-16';
}

/** The bytes that a text takes in UTF-8; a lone surrogate counts as the three bytes of U+FFFD. */
export function utf8Length(text: string, start: number, end: number): number {
  let bytes = 0;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (code >= 0xd800 && code < 0xdc00 && isLow(text.charCodeAt(at + 1)) && at + 1 < end) {
      bytes += 4;
      at++;
    } else bytes += 3;
  }
  return bytes;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

/** How many UTF-16 code units of a text's part make up a number of UTF-8 bytes; clamped to the part. */
function utf16Length(text: string, bytes: number): number {
  let at = 0;
  let left = bytes;
  while (at < text.length && left > 0) {
    const pair = (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    left -= utf8Length(text, at, at + pair);
    if (left < 0) break;
    at += pair;
  }
  return at;
}

function lineOf(document: TextDocument, line: number): string {
  return document.getText({ start: { line, character: 0 }, end: { line: line + 1, character: 0 } });
}

/** A position of the wire as one of the document. */
export function decodePosition(
  document: TextDocument,
  position: Position,
  encoding: Encoding,
): Position {
  if (encoding === 'utf-16') return position;
  const { line, character } = position;
  return { line, character: utf16Length(lineOf(document, line), character) };
}

export function decodeRange(document: TextDocument, range: Range, encoding: Encoding): Range {
  if (encoding === 'utf-16') return range;
  return {
    start: decodePosition(document, range.start, encoding),
    end: decodePosition(document, range.end, encoding),
  };
}

/** Told of every change before it is applied, with the offsets that it replaces; undefined: the whole text. */
export type ChangeNote = (
  edit: { readonly range: { start: number; end: number }; readonly text: string } | undefined,
) => void;

/** Applies the client's changes one after the other; each counts in the text that the one before left. */
export function applyChanges(
  document: TextDocument,
  changes: readonly TextDocumentContentChangeEvent[],
  options: { readonly version: number; readonly encoding: Encoding; readonly note?: ChangeNote },
): TextDocument {
  const { version, encoding, note } = options;
  let current = document;
  for (const change of changes) {
    if (!('range' in change)) {
      note?.(undefined);
      current = TextDocument.update(current, [change], version);
      continue;
    }
    const range = decodeRange(current, change.range, encoding);
    const [start, end] = [current.offsetAt(range.start), current.offsetAt(range.end)];
    const { text } = change;
    // A range that ends before it starts is read the other way round, as the document does.
    note?.({ range: { start: Math.min(start, end), end: Math.max(start, end) }, text });
    current = TextDocument.update(current, [{ range, text }], version);
  }
  return current;
}

/** An answer with every position in it turned to the wire's unit. Answers hold positions of one document only. */
export function encodeAnswer<T>(document: TextDocument, answer: T, encoding: Encoding): T {
  if (encoding === 'utf-16' || answer === null || answer === undefined) return answer;
  const lines = new Map<number, string>();
  const encode = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(encode);
    if (typeof value !== 'object' || value === null) return value;
    const { line, character } = value as Partial<Position>;
    if (typeof line === 'number' && typeof character === 'number') {
      const text = lines.get(line) ?? lineOf(document, line);
      lines.set(line, text);
      return { line, character: utf8Length(text, 0, Math.min(character, text.length)) };
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]));
  };
  return encode(answer) as T;
}
