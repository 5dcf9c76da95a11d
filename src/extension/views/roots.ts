/** The roots of a tree that follow the live store and the user's arrangement: filled at the first look, changed by what is told from then on. Pure; what the nodes are, their model knows. */
import type { Listener } from '../engine/engines.ts';
import type { Change, LiveStore } from '../live/store.ts';
import type { Arrangements, TreeName } from './arrangement.ts';
import type { GroupedList } from './grouped.ts';
import { firstAnswer } from './loading.ts';
import type { Node } from './nodes.ts';
import { type Changed, Listeners } from './row.ts';

interface Setup<N extends Node, G extends Node> {
  readonly live: LiveStore;
  readonly arrangements: Arrangements;
  readonly tree: TreeName;
  readonly list: GroupedList<N, G>;
  /** Puts everything that the store holds into the list anew. */
  readonly fill: () => void;
  /** Puts a change into the list and calls `tell` or `rebuild`. */
  readonly hear: (change: Change) => void;
}

export class Roots<N extends Node, G extends Node> {
  private readonly setup: Setup<N, G>;
  private readonly listeners = new Listeners<Changed<Node>>();
  private heard: readonly Listener[] | undefined;

  constructor(setup: Setup<N, G>) {
    this.setup = setup;
  }

  /** Waits for the store's first answer, so that a tree shows progress and not emptiness. */
  async children(): Promise<readonly Node[]> {
    const { live, arrangements, tree, list, fill, hear } = this.setup;
    if (this.heard === undefined) {
      this.heard = [
        live.onDidChange(hear),
        arrangements.onDidChange((changed) => {
          if (changed === tree) this.rebuild();
        }),
      ];
      await firstAnswer(live);
      fill();
      list.flush();
    } else await firstAnswer(live);
    return [...list.children];
  }

  onDidChange(listener: (changed: Changed<Node>) => void): Listener {
    return this.listeners.add(listener);
  }

  rebuild(): void {
    this.setup.fill();
    this.tell();
  }

  /** Tells what has changed in the list since the last time. */
  tell(): void {
    this.say(this.setup.list.flush());
  }

  /** Tells that rows are other ones though their places are not. */
  say(changed: Changed<Node>): void {
    if (changed === 'all' || changed.length > 0) this.listeners.call(changed);
  }

  dispose(): void {
    for (const each of this.heard ?? []) each.dispose();
  }
}
