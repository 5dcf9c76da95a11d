/** Reads assignments: `name=value`, `name+=value`, `name[index]=value`, `name=(words)`. */
import { WordBuilder } from './builder.ts';
import type { Cursor } from './cursor.ts';
import type { Assignment, ShellWord } from './syntax.ts';
import { readInto, readWord } from './words.ts';

const HEAD = /([A-Za-z_][A-Za-z0-9_]*)(?:\[([^\]\s;&|<>]{0,200})\])?(\+?)=/y;

interface Head {
  readonly length: number;
  readonly name: string;
  readonly index: string | undefined;
  readonly append: boolean;
}

function headAt(cursor: Cursor): Head | undefined {
  HEAD.lastIndex = cursor.at;
  const match = HEAD.exec(cursor.text);
  if (match === null || cursor.at + match[0].length > cursor.end) return undefined;
  const [whole, name = '', index, append] = match;
  return { length: whole.length, name, index, append: append === '+' };
}

/** An assignment at the cursor, or undefined (nothing is taken then). */
export function readAssignment(cursor: Cursor): Assignment | undefined {
  const head = headAt(cursor);
  if (head === undefined) return undefined;
  const start = cursor.at;
  cursor.at += head.length;
  const builder = new WordBuilder(cursor);
  readValue(builder, cursor);
  const value = builder.word();
  const { name, index, append } = head;
  const nameRange = cursor.range(start, start + name.length);
  return { name, nameRange, append, index, value, range: cursor.range(start) };
}

/** Whether an argument with an array value stands at the cursor. */
export function declaredAt(cursor: Cursor): boolean {
  const head = headAt(cursor);
  return head !== undefined && cursor.code(head.length) === 0x28;
}

/** Reads such an argument as one word whose last part is the array. */
export function readDeclared(cursor: Cursor): ShellWord {
  const builder = new WordBuilder(cursor);
  cursor.at += headAt(cursor)?.length ?? 0;
  builder.flush();
  readValue(builder, cursor);
  return builder.word();
}

function readValue(builder: WordBuilder, cursor: Cursor): void {
  if (cursor.code() === 0x28) readArray(builder, cursor);
  readInto(builder, cursor);
}

function readArray(builder: WordBuilder, cursor: Cursor): void {
  const start = cursor.at;
  cursor.at++;
  cursor.mark('operator', start);
  const words: ShellWord[] = [];
  for (;;) {
    cursor.skipLines();
    const word = readWord(cursor);
    if (word.text === '') break;
    words.push(word);
  }
  if (cursor.code() === 0x29) {
    cursor.at++;
    cursor.mark('operator', cursor.at - 1);
  } else {
    const opening = cursor.range(start, start + 1);
    cursor.report('unexpected-token', "this '(' of an array has no ')'", opening);
  }
  const text = cursor.slice(start);
  builder.add({ kind: 'array', text, words, range: cursor.range(start) }, undefined);
}
