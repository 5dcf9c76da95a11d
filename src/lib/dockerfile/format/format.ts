/**
 * The formatter's entry: a parsed Dockerfile in, the smallest edits out. It changes white space, line breaks between
 * words and the case of keywords, and it proves of each instruction that it means the same; if not, it leaves it alone.
 */
import type { Comment, Directive, Dockerfile, Instruction, Range } from '../syntax.ts';
import { skipSpace, trimSpaceEnd } from '../../text/characters.ts';
import { linesAround } from '../../text/lines.ts';
import { TextMemory } from '../../text/memory.ts';
import { ShellShelves } from '../shell/shelves.ts';
import type { TextEdit } from '../tree/document.ts';
import { moveRange } from '../tree/move.ts';
import { atomsOf, Scripts } from './atoms.ts';
import { layOut, type LayoutContext, lineEndAt, smallestEdit } from './layout.ts';
import { FORMAT_DEFAULTS, type FormatOptions } from './options.ts';
import { keepsInstruction, keepsMeaning } from './proof.ts';

export type { TextEdit } from '../tree/document.ts';
export { FORMAT_DEFAULTS, type FormatOptions } from './options.ts';
export { applyEdits } from './proof.ts';

/** What the formatter keeps of instructions, by their text: their edits, which count from the start of their first line. */
export class FormatMemory extends TextMemory<readonly TextEdit[]> {}

export interface FormatRequest {
  /** Only what it touches is formatted; default: all. */
  readonly range?: Range;
  /** Keeps what this and other files can use again. */
  readonly memory?: FormatMemory;
}

/** Edits that format a file, in order and apart. What would change the meaning of an instruction is not done to it. */
export function formatDockerfile(
  file: Dockerfile,
  options: Partial<FormatOptions> = {},
  { range = { start: 0, end: file.text.length }, memory = new FormatMemory() }: FormatRequest = {},
): readonly TextEdit[] {
  const formatter = new Formatter(file, { ...FORMAT_DEFAULTS, ...options }, memory);
  return formatter.edits(range);
}

interface Element extends Range {
  readonly instruction: Instruction | undefined;
  readonly directive: boolean;
}

class Formatter {
  private readonly file: Dockerfile;
  private readonly options: FormatOptions;
  private readonly scripts: Scripts;
  private readonly layout: LayoutContext;
  private readonly shelves: ShellShelves<readonly TextEdit[]>;

  constructor(file: Dockerfile, options: FormatOptions, memory: FormatMemory) {
    const { escapeCharacter: escape } = file.directives;
    this.file = file;
    this.options = options;
    this.scripts = new Scripts(file);
    this.layout = { text: file.text, escape, options };
    this.shelves = new ShellShelves(memory, JSON.stringify([options, escape]));
  }

  edits(range: Range): TextEdit[] {
    const elements = elementsOf(this.file);
    // Lists within lists: an instruction may have more edits than a call may have arguments.
    const head: (readonly TextEdit[])[] = [];
    const body: (readonly TextEdit[])[] = [];
    const apart = this.stageStarts(elements);
    const [first] = this.file.instructions;
    for (const [index, element] of elements.entries()) {
      const before = elements[index - 1];
      const gap = { start: before?.end ?? this.textStart(), end: element.start };
      const isHead = first === undefined || gap.start < first.range.start;
      if (touches(gap, range))
        (isHead ? head : body).push(this.gap(gap, { before, element, apart: apart.has(index) }));
      const isBefore = first === undefined || element.start < first.range.start;
      if (touches(element, range)) (isBefore ? head : body).push(this.element(element));
    }
    const end = { start: elements.at(-1)?.end ?? this.textStart(), end: this.file.text.length };
    const last = touches(end, range) ? this.end(end, elements) : [];
    return [...this.proved(head.flat()), ...body.flat(), ...last];
  }

  /** The edits before the first instruction, where white space and comments may be or become directives. */
  private proved(head: readonly TextEdit[]): readonly TextEdit[] {
    if (head.length === 0) return head;
    const { text, instructions } = this.file;
    const part = text.slice(0, instructions[0]?.range.end ?? text.length);
    return keepsMeaning(part, head) ? head : [];
  }

  private textStart(): number {
    return this.file.text.charCodeAt(0) === 0xfeff ? 1 : 0;
  }

  /** Indices of elements that want an empty line before them: a FROM but the first, or the comments right above it. */
  private stageStarts(elements: readonly Element[]): ReadonlySet<number> {
    const starts = new Set<number>();
    if (this.options.stages === 'keep') return starts;
    const [first] = this.file.stages;
    for (const [index, { instruction }] of elements.entries()) {
      if (instruction?.kind !== 'FROM' || instruction === first?.from) continue;
      let start = index;
      while (start > 0 && this.isCommentAbove(elements, start)) start--;
      starts.add(start);
    }
    return starts;
  }

  private isCommentAbove(elements: readonly Element[], index: number): boolean {
    const above = elements[index - 1];
    const here = elements[index];
    if (above === undefined || here === undefined || above.instruction !== undefined) return false;
    return breaksIn(this.file.text, { start: above.end, end: here.start }) === 1;
  }

  /** The white space between two elements, or before the first. */
  private gap(
    range: Range,
    { before, element, apart }: { before: Element | undefined; element: Element; apart: boolean },
  ): TextEdit[] {
    const { text } = this.file;
    if (!isBlank(text, range)) return [];
    if (before === undefined) {
      // An empty line here may keep a comment from being a directive, blanks a character from being a byte order mark.
      const comment = element.instruction === undefined && !element.directive;
      const kept = (comment && breaksIn(text, range) > 0) || text.charCodeAt(range.end) === 0xfeff;
      return kept ? [] : smallestEdit(range, '', text);
    }
    const breaks = breaksIn(text, range);
    if (breaks === 0) return [];
    const most = Math.max(1, Math.min(breaks, this.options.emptyLines + 1));
    // The empty line that ends the directives may be all that keeps a comment from being one.
    const ends = before.directive && element.instruction === undefined && breaks > 1;
    const wanted = apart || (ends && !element.directive) ? Math.max(2, most) : most;
    const old = text.slice(range.start, range.end);
    const newline = lineEndAt(text, range.start);
    if (this.options.trailingBlanks === 'keep') {
      const lines = linesOf(old).slice(0, wanted).join('');
      return smallestEdit(range, lines + newline.repeat(wanted - Math.min(wanted, breaks)), text);
    }
    const clean = /^(?:\r?\n)+$/.test(old);
    if (clean && breaks === wanted) return [];
    return smallestEdit(range, newline.repeat(wanted), text);
  }

  private element(element: Element): readonly TextEdit[] {
    const { text } = this.file;
    const { instruction } = element;
    if (instruction !== undefined) return this.instruction(instruction);
    if (this.options.trailingBlanks === 'keep') return [];
    const line = text.slice(element.start, element.end);
    // What looks like a directive may become one, or become another.
    if (/^#\s*\w+\s*=/.test(line)) return [];
    return smallestEdit(element, line.slice(0, trimSpaceEnd(line, 0, line.length)), text);
  }

  /** An instruction's edits, proved and kept by its lines. */
  private instruction(instruction: Instruction): readonly TextEdit[] {
    const { text } = this.file;
    const lines = linesAround(text, instruction.range);
    const inner = instruction.kind === 'ONBUILD' ? instruction.instruction : instruction;
    const shell = inner && this.scripts.shellAt(inner);
    const shelf = this.shelves.for(shell);
    const key = text.slice(lines.start, lines.end);
    const known = shelf.find(key);
    if (known !== undefined) return moved(known, lines.start);
    const { escapeCharacter: escape } = this.file.directives;
    const edits = moved(this.proposed(instruction), -lines.start);
    const kept = edits.length === 0 || keepsInstruction(key, edits, { escape, shell }) ? edits : [];
    // Without a line break of its own an instruction takes the one that the line above ends with.
    if (key.endsWith('\n')) shelf.keep(key, kept);
    return moved(kept, lines.start);
  }

  private proposed(instruction: Instruction): TextEdit[] {
    const { file, options, scripts } = this;
    const atoms = atomsOf(instruction, { file, options, scripts });
    const edits = layOut(atoms, this.layout);
    if (options.trailingBlanks === 'keep') return edits;
    const { text } = file;
    const end = atoms.at(-1)?.range.end ?? instruction.range.end;
    const bodies = bodiesStart(instruction) ?? instruction.range.end;
    const rest = text.slice(end, bodies);
    const trimmed = rest.replace(/^[ \t]+/, '');
    if (trimmed === '' || /^\r*\n$/.test(trimmed)) {
      return [...edits, ...smallestEdit({ start: end, end: bodies }, trimmed, text)];
    }
    return edits;
  }

  private end(range: Range, elements: readonly Element[]): readonly TextEdit[] {
    const { text } = this.file;
    const open = this.file.problems.some(({ code }) => code === 'UnterminatedHeredoc');
    if (open || !isBlank(text, range)) return [];
    const last = elements.at(-1);
    const old = text.slice(range.start, range.end);
    const wanted = this.wantedEnd(old, { newline: lineEndAt(text, range.start), last });
    if (old === wanted) return [];
    const edits = smallestEdit(range, wanted, text);
    const start = last === undefined ? 0 : linesAround(text, last).start;
    return keepsMeaning(text.slice(start), moved(edits, -start)) ? edits : [];
  }

  /** The white space behind the last element as it is to be; a clean line break stays as it is written. */
  private wantedEnd(
    old: string,
    { newline, last }: { readonly newline: string; readonly last: Element | undefined },
  ): string {
    const { trailingBlanks, finalNewline, finalEmptyLines } = this.options;
    const isTrimmed = trailingBlanks === 'trim';
    const lines = linesOf(old);
    const rest = old.slice(lines.join('').length);
    if (last === undefined && finalEmptyLines === 'trim') return '';
    const kept = finalEmptyLines === 'trim' ? lines.slice(0, 1) : lines;
    const written = kept.map((line) => (isTrimmed ? (/\r?\n$/.exec(line)?.[0] ?? '') : line));
    // Blanks behind the last line break are a line that has none of its own.
    const isOpen = lines.length === 0 || (finalEmptyLines === 'keep' && rest !== '' && !isTrimmed);
    const open = isOpen && !isTrimmed ? rest : '';
    const isEnded = !isOpen || finalNewline === 'keep' || last === undefined;
    return written.join('') + open + (isEnded ? '' : newline);
  }
}

/** The lines of a text with their ends; what is behind the last line break is none. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n/g) ?? [];
}

function moved(edits: readonly TextEdit[], by: number): readonly TextEdit[] {
  if (edits.length === 0 || by === 0) return edits;
  return edits.map(({ range, text }) => ({ range: moveRange(range, by), text }));
}

function bodiesStart(instruction: Instruction): number | undefined {
  if (instruction.kind === 'ONBUILD') {
    return instruction.instruction && bodiesStart(instruction.instruction);
  }
  return 'heredocs' in instruction ? instruction.heredocs[0]?.contentRange.start : undefined;
}

function touches(a: Range, b: Range): boolean {
  return a.start <= b.end && a.end >= b.start;
}

function breaksIn(text: string, { start, end }: Range): number {
  let count = 0;
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1))
    count++;
  return count;
}

/** Directives, comments and instructions in order; comments within an instruction belong to it. */
function elementsOf({ directives, comments, instructions }: Dockerfile): readonly Element[] {
  const { syntax, escape, check } = directives;
  const found: Element[] = [];
  for (const instruction of instructions) {
    found.push({ ...instruction.range, instruction, directive: false });
  }
  const directed = [syntax, escape, check].filter((item): item is Directive => item !== undefined);
  const add = ({ range }: Comment | Directive, directive: boolean): void => {
    found.push({ ...range, instruction: undefined, directive });
  };
  for (const directive of directed) add(directive, true);
  for (const comment of comments) add(comment, false);
  found.sort((a, b) => a.start - b.start);
  let end = -1;
  return found.filter((element) => {
    if (element.start < end) return false;
    end = element.end;
    return true;
  });
}

/** Anything else there (a directive given twice) is left alone with the white space around it. */
function isBlank(text: string, { start, end }: Range): boolean {
  return skipSpace(text, start, end) === end;
}
