/**
 * Writes the outline as JSON. A symbol depends on the text of its instruction but for the numbers of its lines, so it is
 * kept by the text, and only the numbers are put in. What an outline holds is told by symbols.ts alone.
 */
import type { DocumentSymbol } from 'vscode-languageserver/node';
import type { Dockerfile, Instruction, Range, Stage } from '../../../src/lib/dockerfile/syntax.ts';
import { type Shelf, TextMemory } from '../../../src/lib/text/memory.ts';
import { beforeStages, instructionSymbol, stageSymbol } from './symbols.ts';

export class OutlineMemory extends TextMemory<LineTemplate> {
  /** Bytes of the last outline: the next one is about as long. */
  lastLength = 0;
}

/** The bytes of `JSON.stringify(symbolsOf(file))`. */
export function outlineOf(file: Dockerfile, memory: OutlineMemory): Buffer {
  const json = new OutlineWriter(file, memory).written();
  memory.lastLength = json.length;
  return json;
}

class OutlineWriter {
  private readonly file: Dockerfile;
  private readonly stages: Shelf<LineTemplate>;
  private readonly instructions: Shelf<LineTemplate>;
  private readonly bytes: Bytes;

  constructor(file: Dockerfile, memory: OutlineMemory) {
    this.file = file;
    const { escapeCharacter } = file.directives;
    this.stages = memory.shelf(`stages ${escapeCharacter}`);
    this.instructions = memory.shelf(`instructions ${escapeCharacter}`);
    this.bytes = new Bytes(memory.lastLength + 1024);
  }

  written(): Buffer {
    const { bytes, file } = this;
    bytes.byte(OPEN_LIST);
    this.list(beforeStages(file));
    for (const stage of file.stages) {
      if (!bytes.endsWith(OPEN_LIST)) bytes.byte(COMMA);
      this.stage(stage);
      bytes.put(CHILDREN);
      this.list(stage.instructions);
      bytes.byte(CLOSE_LIST);
      bytes.byte(CLOSE_OBJECT);
    }
    bytes.byte(CLOSE_LIST);
    return bytes.whole();
  }

  private list(instructions: readonly Instruction[]): void {
    const { bytes, file } = this;
    for (const instruction of instructions) {
      if (!bytes.endsWith(OPEN_LIST)) bytes.byte(COMMA);
      const { line, text } = this.place(instruction.range);
      let template = this.instructions.find(text);
      if (template === undefined) {
        template = new LineTemplate(instructionSymbol(file, instruction), line);
        this.instructions.keep(text, template);
      }
      template.write(line, bytes);
      bytes.byte(CLOSE_OBJECT);
    }
  }

  /** It ends where its last instruction does, and may be named by its number. */
  private stage(stage: Stage): void {
    const { line, text } = this.place(stage.from.range);
    const end = this.file.lines.position(stage.range.end);
    const key = [stage.index, end.line - line, end.character, text].join();
    let template = this.stages.find(key);
    if (template === undefined) {
      template = new LineTemplate(stageSymbol(this.file, stage), line);
      this.stages.keep(key, template);
    }
    template.write(line, this.bytes);
  }

  /** The line that a range begins in, and the text from that line's start to the end of the range. */
  private place({ start, end }: Range): { readonly line: number; readonly text: string } {
    const { text, lines } = this.file;
    const { line, character } = lines.position(start);
    return { line, text: text.slice(start - character, end) };
  }
}

const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const CLOSE_OBJECT = 0x7d;
const COMMA = 0x2c;
const ZERO = 0x30;
const CHILDREN = Buffer.from(',"children":[');

/** The JSON of a symbol, without its closing brace, with gaps where the numbers of its lines stand. */
class LineTemplate {
  private readonly pieces: readonly Buffer[];
  /** The lines between the pieces, counted from the first one of the instruction. */
  private readonly lines: readonly number[];

  constructor(symbol: DocumentSymbol, first: number) {
    // In strings a quote has a backslash before it: this finds the protocol's own fields only.
    const parts = JSON.stringify(symbol)
      .slice(0, -1)
      .split(/(?<="line":)(\d+)/);
    this.pieces = parts.filter((_, index) => index % 2 === 0).map((piece) => Buffer.from(piece));
    this.lines = parts.filter((_, index) => index % 2 === 1).map((line) => Number(line) - first);
  }

  write(first: number, bytes: Bytes): void {
    const { lines } = this;
    let index = 0;
    for (const piece of this.pieces) {
      if (index > 0) bytes.number(first + (lines[index - 1] ?? 0));
      bytes.put(piece);
      index++;
    }
  }
}

/** Bytes that grow. */
class Bytes {
  private buffer: Buffer;
  private length = 0;

  /** `expected`: about how many there will be. */
  constructor(expected: number) {
    this.buffer = Buffer.allocUnsafe(expected);
  }

  whole(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  endsWith(byte: number): boolean {
    return this.buffer[this.length - 1] === byte;
  }

  byte(byte: number): void {
    this.makeRoom(1);
    this.buffer[this.length++] = byte;
  }

  put(piece: Buffer): void {
    this.makeRoom(piece.length);
    this.buffer.set(piece, this.length);
    this.length += piece.length;
  }

  /** A whole number that is not negative, in digits. */
  number(value: number): void {
    this.makeRoom(16);
    let digits = 1;
    for (let rest = value; rest >= 10; rest = Math.trunc(rest / 10)) digits++;
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const tens = Math.trunc(rest / 10);
      this.buffer[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.length += digits;
  }

  private makeRoom(count: number): void {
    const needed = this.length + count;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.length);
    this.buffer = larger;
  }
}
