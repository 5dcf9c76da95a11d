/**
 * The formatter's entry: a parsed Dockerfile in, the smallest edits out. It changes white space, line breaks between
 * words and the case of keywords, and it proves to itself that the result means the same; if not, it changes nothing.
 */
import type { Comment, Directive, Dockerfile, Instruction, Range } from '../syntax.ts';
import { skipSpace, trimSpaceEnd } from '../../text/characters.ts';
import type { TextEdit } from '../tree/document.ts';
import { parseDockerfile } from '../parse.ts';
import { type AtomContext, atomsOf, scriptsByInstruction } from './atoms.ts';
import { layOut, type LayoutContext, lineEndAt, smallestEdit } from './layout.ts';
import { sameMeaning } from './meaning.ts';
import { FORMAT_DEFAULTS, type FormatOptions } from './options.ts';

export type { TextEdit } from '../tree/document.ts';
export { FORMAT_DEFAULTS, type FormatOptions } from './options.ts';

/** Edits that format a file, in order and apart; with `range` only what it touches. */
export function formatDockerfile(
  file: Dockerfile,
  options: Partial<FormatOptions> = {},
  range: Range = { start: 0, end: file.text.length },
): readonly TextEdit[] {
  const edits = proposeEdits(file, options, range);
  if (edits.length === 0) return edits;
  const after = parseDockerfile(applyEdits(file.text, edits));
  return sameMeaning(file, after) ? edits : [];
}

/** The edits before the proof that they keep the meaning. */
export function proposeEdits(
  file: Dockerfile,
  options: Partial<FormatOptions> = {},
  range: Range = { start: 0, end: file.text.length },
): readonly TextEdit[] {
  return new Formatter(file, { ...FORMAT_DEFAULTS, ...options }).edits(range);
}

/** A text with edits applied that are in order and apart. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { range, text: put } of edits) {
    parts.push(text.slice(at, range.start), put);
    at = range.end;
  }
  parts.push(text.slice(at));
  return parts.join('');
}

interface Element extends Range {
  readonly instruction: Instruction | undefined;
  readonly directive: boolean;
}

class Formatter {
  private readonly file: Dockerfile;
  private readonly options: FormatOptions;
  private readonly atoms: AtomContext;
  private readonly layout: LayoutContext;

  constructor(file: Dockerfile, options: FormatOptions) {
    this.file = file;
    this.options = options;
    this.atoms = { file, options, scripts: scriptsByInstruction(file) };
    this.layout = { text: file.text, escape: file.directives.escapeCharacter, options };
  }

  edits(range: Range): TextEdit[] {
    const elements = elementsOf(this.file);
    // Lists within lists: an instruction may have more edits than a call may have arguments.
    const edits: TextEdit[][] = [];
    const apart = this.stageStarts(elements);
    for (const [index, element] of elements.entries()) {
      const before = elements[index - 1];
      const gap = { start: before?.end ?? this.textStart(), end: element.start };
      if (touches(gap, range))
        edits.push(this.gap(gap, { before, element, apart: apart.has(index) }));
      if (touches(element, range)) edits.push(this.element(element));
    }
    const end = { start: elements.at(-1)?.end ?? this.textStart(), end: this.file.text.length };
    if (touches(end, range)) edits.push(this.end(end, elements.length > 0));
    return edits.flat();
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
    const clean = /^(?:\r?\n)+$/.test(old);
    if (clean && breaks === wanted) return [];
    return smallestEdit(range, lineEndAt(text, range.start).repeat(wanted), text);
  }

  private element(element: Element): TextEdit[] {
    const { text } = this.file;
    const { instruction } = element;
    if (instruction !== undefined) return this.instruction(instruction);
    const line = text.slice(element.start, element.end);
    // What looks like a directive may become one, or become another.
    if (/^#\s*\w+\s*=/.test(line)) return [];
    return smallestEdit(element, line.slice(0, trimSpaceEnd(line, 0, line.length)), text);
  }

  private instruction(instruction: Instruction): TextEdit[] {
    const atoms = atomsOf(instruction, this.atoms);
    const edits = layOut(atoms, this.layout);
    const { text } = this.file;
    const end = atoms.at(-1)?.range.end ?? instruction.range.end;
    const bodies = bodiesStart(instruction) ?? instruction.range.end;
    const rest = text.slice(end, bodies);
    const trimmed = rest.replace(/^[ \t]+/, '');
    if (trimmed === '' || /^\r*\n$/.test(trimmed)) {
      return [...edits, ...smallestEdit({ start: end, end: bodies }, trimmed, text)];
    }
    return edits;
  }

  private end(range: Range, filled: boolean): TextEdit[] {
    const { text } = this.file;
    const open = this.file.problems.some(({ code }) => code === 'UnterminatedHeredoc');
    if (open || !isBlank(text, range)) return [];
    const old = text.slice(range.start, range.end);
    const clean = filled ? /^\r?\n$/.test(old) : old === '';
    return clean ? [] : smallestEdit(range, filled ? lineEndAt(text, range.start) : '', text);
  }
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
