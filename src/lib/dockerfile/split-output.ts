/** Collects an expanded value together with the words it falls into at unquoted white space. */
import { isSpace } from '../text/characters.ts';

export interface SplitWord {
  readonly value: string;
  /** Indices in the word's text that it came from. */
  readonly start: number;
  readonly end: number;
}

/** A value, and the words that it falls into. */
export class SplitOutput {
  private readonly parts: string[] = [];
  private readonly split: SplitWord[] = [];
  private current: string[] = [];
  private length = 0;
  private start = 0;
  private end = 0;

  /** Adds text from `start` to `end` of the source; `splits`: white space in it ends words. */
  add(text: string, origin: { start: number; end: number; splits: boolean }): void {
    this.parts.push(text);
    if (!origin.splits) {
      this.append(text, origin);
      return;
    }
    // A run of plain characters stands in the source one to one; a variable's value comes from the whole of its use.
    const exact = text.length === origin.end - origin.start;
    let from = 0;
    for (let at = 0; at <= text.length; at++) {
      if (at < text.length && !isSpace(text.charCodeAt(at))) continue;
      if (at > from) {
        const piece = exact ? { start: origin.start + from, end: origin.start + at } : origin;
        this.append(text.slice(from, at), piece);
      }
      if (at < text.length) this.endWord();
      from = at + 1;
    }
  }

  text(): string {
    return this.parts.join('');
  }

  words(): readonly SplitWord[] {
    this.endWord();
    return this.split;
  }

  private append(text: string, { start, end }: { start: number; end: number }): void {
    if (this.current.length === 0) this.start = start;
    this.current.push(text);
    this.length += text.length;
    this.end = end;
  }

  private endWord(): void {
    if (this.length > 0) {
      this.split.push({ value: this.current.join(''), start: this.start, end: this.end });
    }
    this.current = [];
    this.length = 0;
  }
}
