/**
 * The text of a classic build's answer. Stages run side by side; this keeps each one's lines together and in the order
 * of the file: the first unfinished stage writes straight through, the others wait in bounded memory.
 */
import { shortId } from '../../lib/image/digest.ts';
import type { BuildMessage } from './types.ts';

/** What a waiting stage may hold; the oldest text goes first. */
const HELD_LIMIT = 4 * 1024 * 1024;

export interface StageOutput {
  readonly text: (text: string) => void;
  readonly message: (message: BuildMessage) => void;
  /** No more will come: the next stage's turn. */
  readonly end: () => void;
}

export interface BuildOutput {
  stage(index: number): StageOutput;
  /** A message that belongs to no stage; written at once. */
  text(text: string): void;
  /** Writes what a failed stage still holds. */
  fail(index: number): void;
  /** The last messages. With `quiet` only the `aux` one: the API prints the id itself. */
  finish(id: string, tags: readonly string[]): void;
}

/** `order`: the stages in the order of the file. With `quiet` everything is held back, and shown only when a stage fails. */
export function createOutput(
  write: (message: BuildMessage) => void,
  options: { order: readonly number[]; quiet: boolean },
): BuildOutput {
  const { quiet } = options;
  const waiting = new Map(options.order.map((index) => [index, new Held()]));
  const ended = new Set<number>();
  const order = [...options.order];
  const general = new Held();
  const drain = (held: Held): void => {
    for (const message of held.take()) write(message);
  };
  const live = (index: number): boolean => !quiet && order[0] === index;
  /** The first stage is over: the next one shows what it held, and so on while they are over too. */
  const advance = (): void => {
    for (let first = order[0]; first !== undefined && ended.has(first); first = order[0]) {
      order.shift();
      const held = order[0] === undefined ? undefined : waiting.get(order[0]);
      if (!quiet && held !== undefined) drain(held);
    }
  };
  return {
    stage(index) {
      const held = waiting.get(index) ?? new Held();
      const message = (item: BuildMessage): void => {
        if (live(index)) write(item);
        else held.add(item);
      };
      const text = (line: string): void => {
        message({ stream: line });
      };
      const end = (): void => {
        ended.add(index);
        if (order[0] === index) advance();
      };
      return { text, message, end };
    },
    text(text) {
      if (quiet) general.add({ stream: text });
      else write({ stream: text });
    },
    fail(index) {
      if (quiet) drain(general);
      const held = waiting.get(index);
      if (held !== undefined) drain(held);
    },
    finish(id, tags) {
      write({ aux: { ID: id } });
      if (quiet) return;
      write({ stream: `Successfully built ${shortId(id)}\n` });
      for (const tag of tags) write({ stream: `Successfully tagged ${tag}\n` });
    },
  };
}

class Held {
  private items: BuildMessage[] = [];
  private size = 0;

  add(item: BuildMessage): void {
    this.items.push(item);
    this.size += item.stream?.length ?? 64;
    while (this.size > HELD_LIMIT && this.items.length > 1) {
      this.size -= this.items.shift()?.stream?.length ?? 64;
    }
  }

  take(): BuildMessage[] {
    const { items } = this;
    this.items = [];
    this.size = 0;
    return items;
  }
}
