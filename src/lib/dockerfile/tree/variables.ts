/**
 * Finds variable references as nodes with ranges: `$name`, `${name}`, `${name:-word}` and the other modifiers.
 * It never expands them (expand.ts does) and finds none where the builder would not.
 */
import type { Dockerfile, Escape, Heredoc, Instruction, Range, Word } from '../syntax.ts';
import { sourceOf } from '../shell/scripts.ts';
import { SourceText } from '../source.ts';

export interface VariableReference {
  readonly name: string;
  readonly nameRange: Range;
  readonly braced: boolean;
  /** `:-`, `-`, `:+`, `+`, `:?`, `?`, `#`, `##`, `%`, `%%`, `/`, `//`; empty without one. */
  readonly modifier: string;
  readonly modifierRange: Range | undefined;
  /** What stands behind the modifier, up to the brace. */
  readonly operandRange: Range | undefined;
  /** References within the operand. */
  readonly inner: readonly VariableReference[];
  /** From the dollar to the end. */
  readonly range: Range;
}

const NONE: readonly VariableReference[] = [];
const NO_WORDS: readonly Word[] = [];
const NO_HEREDOCS: readonly Heredoc[] = [];

/** The references in the words of an instruction that the builder expands. Those of shell commands are the shell's. */
export function variablesOf(
  instruction: Instruction,
  file: Dockerfile,
): readonly VariableReference[] {
  const { escapeCharacter } = file.directives;
  const words = instruction.original.includes('$') ? expandedWords(instruction) : NO_WORDS;
  const heredocs = expandedHeredocs(instruction);
  if (words.length === 0 && heredocs.length === 0) return NONE;
  const found = words.flatMap((word) => variablesIn(word, escapeCharacter));
  const bodies = heredocs.flatMap((heredoc) =>
    variablesInText(bodySource(heredoc, file), { escape: escapeCharacter, quotes: 'plain' }),
  );
  return [...found, ...bodies].sort((a, b) => a.range.start - b.range.start);
}

/** The references in one word, in order; single quotes keep dollars from meaning anything. */
export function variablesIn(word: Word, escape: Escape): readonly VariableReference[] {
  if (!word.text.includes('$')) return NONE;
  return variablesInText(sourceOf(word), { escape, quotes: 'special' });
}

/** The words that the builder puts variables into, as the frontend's instructions do. */
function expandedWords(instruction: Instruction): readonly Word[] {
  const some = (...words: readonly (Word | undefined)[]): Word[] =>
    words.filter((word) => word !== undefined);
  switch (instruction.kind) {
    case 'FROM':
      return some(instruction.platform, instruction.image);
    case 'ARG':
    case 'ENV':
    case 'LABEL':
      return instruction.pairs.flatMap(({ name, value }) => some(name, value));
    case 'COPY':
    case 'ADD': {
      const { chown, chmod, excludes, sources, dest } = instruction;
      const own = instruction.kind === 'ADD' ? instruction.checksum : undefined;
      return some(chown, chmod, own, ...excludes, ...sources, dest);
    }
    case 'RUN':
      return instruction.mounts.flatMap(({ from, source, target, id }) =>
        some(from, source, target, id),
      );
    case 'EXPOSE':
    case 'VOLUME':
      return instruction.words;
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
      return [instruction.value];
    case 'ONBUILD':
      return instruction.instruction === undefined ? [] : expandedWords(instruction.instruction);
    default:
      return [];
  }
}

function expandedHeredocs(instruction: Instruction): readonly Heredoc[] {
  if (instruction.kind === 'COPY' || instruction.kind === 'ADD') {
    return instruction.heredocs.length === 0
      ? NO_HEREDOCS
      : instruction.heredocs.filter(({ expand }) => expand);
  }
  if (instruction.kind !== 'ONBUILD' || instruction.instruction === undefined) return NO_HEREDOCS;
  return expandedHeredocs(instruction.instruction);
}

function bodySource({ contentRange: { start, end } }: Heredoc, { text }: Dockerfile): SourceText {
  return new SourceText(text.slice(start, end), [{ index: 0, offset: start }]);
}

interface Style {
  readonly escape: Escape;
  /** In heredocs quotes are characters like others. */
  readonly quotes: 'special' | 'plain';
}

function variablesInText(source: SourceText, style: Style): VariableReference[] {
  return new Finder(source, style).run();
}

const NAME = /[\p{L}\p{Nd}_]+|[@*#?\-$!]/uy;
const MODIFIER = /:[-+?]|##?|%%?|\/\/?|[-+?]/y;
const DEPTH_LIMIT = 50;

class Finder {
  private readonly source: SourceText;
  private readonly text: string;
  private readonly style: Style;
  private at = 0;

  constructor(source: SourceText, style: Style) {
    this.source = source;
    this.text = source.text;
    this.style = style;
  }

  run(): VariableReference[] {
    return this.until('', 0);
  }

  /** References up to an unquoted stop character (not taken) or the end. */
  private until(stop: string, depth: number): VariableReference[] {
    const { text, style } = this;
    const found: VariableReference[] = [];
    let double = false;
    while (this.at < text.length) {
      const character = text[this.at] ?? '';
      if (character === stop && !double) break;
      if (character === style.escape) this.at += 2;
      else if (character === "'" && !double && style.quotes === 'special') this.single();
      else if (character === '$') {
        const reference = this.dollar(depth);
        if (reference !== undefined) found.push(reference);
      } else {
        if (character === '"' && style.quotes === 'special') double = !double;
        this.at++;
      }
    }
    return found;
  }

  private single(): void {
    const close = this.text.indexOf("'", this.at + 1);
    this.at = close < 0 ? this.text.length : close + 1;
  }

  private dollar(depth: number): VariableReference | undefined {
    const start = this.at++;
    const braced = this.text[this.at] === '{';
    if (braced) this.at++;
    if (depth >= DEPTH_LIMIT) return undefined;
    const nameStart = this.at;
    const name = this.match(NAME);
    if (name === '') return undefined;
    const nameRange = this.source.range(nameStart, this.at);
    const rest = braced ? this.rest(depth) : NOTHING;
    return { name, nameRange, braced, ...rest, range: this.source.range(start, this.at) };
  }

  /** Modifier, operand and the closing brace. */
  private rest(
    depth: number,
  ): Pick<VariableReference, 'modifier' | 'modifierRange' | 'operandRange' | 'inner'> {
    const modifierStart = this.at;
    const modifier = this.match(MODIFIER);
    const operandStart = this.at;
    const modifierRange =
      modifier === '' ? undefined : this.source.range(modifierStart, operandStart);
    const inner = this.until('}', depth + 1);
    const operandRange = modifier === '' ? undefined : this.source.range(operandStart, this.at);
    if (this.at < this.text.length) this.at++;
    else this.at = this.text.length;
    return { modifier, modifierRange, operandRange, inner };
  }

  private match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }
}

const NOTHING = { modifier: '', modifierRange: undefined, operandRange: undefined, inner: [] };
