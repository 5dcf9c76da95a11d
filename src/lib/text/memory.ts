/**
 * Keeps what was worked out of texts, by the texts themselves and by what else it depends on, within bounds. The same
 * text in another version or another file is not worked on again. It never looks into what it keeps.
 */

/** Characters of texts, each counted when it is first asked for, after which the others are forgotten. */
const ROOM = 4_000_000;

/** What is kept in the same surroundings. */
export interface Shelf<Value> {
  find(text: string): Value | undefined;
  keep(text: string, value: Value): void;
}

export class TextMemory<Value> {
  private readonly piles = new Map<string, Pile<Value>>();
  private readonly room: number;
  private size = 0;

  /** `room`: how many characters of texts are kept for sure; at most twice as many are. */
  constructor({ room = ROOM }: { readonly room?: number } = {}) {
    this.room = room;
  }

  /** `surroundings`: all that a value depends on beside its text. */
  shelf(surroundings: string): Shelf<Value> {
    const known = this.piles.get(surroundings);
    if (known !== undefined) return known;
    const pile = new Pile<Value>((characters) => {
      this.take(characters);
    });
    this.piles.set(surroundings, pile);
    return pile;
  }

  private take(characters: number): void {
    this.size += characters;
    if (this.size <= this.room) return;
    this.size = 0;
    for (const [surroundings, pile] of this.piles) if (!pile.age()) this.piles.delete(surroundings);
  }
}

/** What was asked for since the last ageing, and what was before it. */
class Pile<Value> implements Shelf<Value> {
  private young = new Map<string, Value>();
  private old = new Map<string, Value>();
  private readonly taken: (characters: number) => void;

  constructor(taken: (characters: number) => void) {
    this.taken = taken;
  }

  find(text: string): Value | undefined {
    const known = this.young.get(text);
    if (known !== undefined) return known;
    const before = this.old.get(text);
    if (before !== undefined) this.keep(text, before);
    return before;
  }

  keep(text: string, value: Value): void {
    this.young.set(detached(text), value);
    this.taken(text.length);
  }

  /** Forgets what nobody asked for since the last time; false when nothing is left. */
  age(): boolean {
    this.old = this.young;
    this.young = new Map();
    return this.old.size > 0;
  }
}

/** A copy: a part of a text would keep the whole of it in memory. */
function detached(text: string): string {
  return ` ${text}`.slice(1);
}
