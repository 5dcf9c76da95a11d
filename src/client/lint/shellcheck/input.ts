/**
 * What ShellCheck is given of a Dockerfile, and where its places are in the file: each shell text of its own, behind one
 * line that names the variables of the build. Pure.
 */
import type { Variables } from '../../../lib/dockerfile/scope/variables.ts';
import type { ScriptUse } from '../../../lib/dockerfile/shell/scripts.ts';
import type { Range } from '../../../lib/dockerfile/syntax.ts';

export interface Input {
  /** Equal inputs have equal findings. */
  readonly key: string;
  /** The value of `--shell`. */
  readonly dialect: 'sh' | 'bash' | 'ksh';
  /** The first line is ours, the script begins with the second. */
  readonly text: string;
  readonly use: ScriptUse;
}

/** More or longer scripts than these are not handed over: the answer would come too late to be of use. */
const COUNT_LIMIT = 100;
const LENGTH_LIMIT = 64 * 1024;

/** The scripts of a file that ShellCheck reads. Where our own reading finds a mistake it would only say so again. */
export function inputsOf(scripts: readonly ScriptUse[], variables: Variables): readonly Input[] {
  const inputs: Input[] = [];
  for (const use of scripts) {
    if (inputs.length >= COUNT_LIMIT) break;
    const { script, source, shell, instruction } = use;
    const { dialect } = shell;
    if (dialect !== 'sh' && dialect !== 'bash' && dialect !== 'ksh') continue;
    if (script === undefined || script.problems.length > 0) continue;
    if (source.text.trim() === '' || source.text.length > LENGTH_LIMIT) continue;
    const names = [...variables.at(instruction.range.start).keys()].filter((name) =>
      /^[A-Za-z_]\w*$/.test(name),
    );
    const known = names.length > 0 ? `export ${names.sort().join(' ')};` : '';
    const text = `${known}${shell.errexit ? 'set -e' : ':'}\n${source.text}`;
    inputs.push({ key: `${dialect}\n${text}`, dialect, text, use });
  }
  return inputs;
}

/** A place as ShellCheck counts: lines and code points from one, a tab as one. */
export interface Point {
  readonly line: number;
  readonly column: number;
}

/** Turns ShellCheck's places in an input into places of the file. */
export class Places {
  private readonly source: ScriptUse['source'];
  private readonly starts: number[] = [0];

  constructor({ use }: Input) {
    this.source = use.source;
    const { text } = this.source;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
      this.starts.push(at + 1);
  }

  /** undefined for what is not in the script. */
  range(start: Point, end: Point): Range | undefined {
    const from = this.index(start);
    const to = this.index(end);
    if (from === undefined || to === undefined || to < from) return undefined;
    return this.source.range(from, to);
  }

  /** Where to put a text before (`opening`) or behind a character. */
  insertion(point: Point, side: 'opening' | 'closing'): Range | undefined {
    const index = this.index(point);
    if (index === undefined) return undefined;
    const isInside = side === 'opening' && index < this.source.text.length;
    const at = isInside ? this.source.offset(index) : this.source.range(index, index).start;
    return { start: at, end: at };
  }

  private index({ line, column }: Point): number | undefined {
    const start = this.starts[line - 2];
    if (start === undefined || column < 1) return undefined;
    const { text } = this.source;
    let index = start;
    for (let count = 1; count < column && index < text.length; count++)
      index += (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
    return index;
  }
}
