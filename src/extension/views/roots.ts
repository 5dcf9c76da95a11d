/** The roots of a tree that follow the live store and the user's arrangement: filled at the first look, changed by what is told from then on. Pure; what the nodes are, their model knows. */
import type { Listener } from '../engine/engines.ts';
import type { Change, HoldingKind, LiveStore } from '../live/store.ts';
import type { Arrangement, Arrangements, TreeName } from './arrangement.ts';
import type { GroupedList } from './grouped.ts';
import { firstAnswer } from './loading.ts';
import type { Node } from './nodes.ts';
import { type Changed, Listeners } from './row.ts';
import { filterWords } from './text.ts';

/** The user's arrangement of a tree; the words that rows must have to be shown. */
export interface By {
  readonly arrangement: Arrangement;
  readonly words: readonly string[];
}

interface Setup<N extends Node, G extends Node> {
  readonly live: LiveStore;
  readonly arrangements: Arrangements;
  readonly tree: TreeName;
  /** What its nodes are made of. */
  readonly kind: HoldingKind;
  readonly list: GroupedList<N, G>;
  /** Puts everything that the store holds into the list anew. */
  readonly fill: (by: By) => void;
  /** Puts what has changed into the list. */
  readonly update: (ids: ReadonlySet<string>, by: By) => void;
  /** Containers have changed, which may use what the tree shows: calls `tell` or `say`. */
  readonly users?: (ids: Change['ids'], by: By) => void;
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
    const { live, arrangements, tree, list, fill } = this.setup;
    if (this.heard === undefined) {
      this.heard = [
        live.onDidChange((change) => this.hear(change)),
        arrangements.onDidChange((changed) => {
          if (changed === tree) this.rebuild();
        }),
      ];
      await firstAnswer(live);
      fill(this.by());
      list.flush();
    } else await firstAnswer(live);
    return [...list.children];
  }

  onDidChange(listener: (changed: Changed<Node>) => void): Listener {
    return this.listeners.add(listener);
  }

  private hear({ kind, ids }: Change): void {
    const { setup } = this;
    if (kind === 'container') setup.users?.(ids, this.by());
    if (kind !== setup.kind) return;
    if (ids === 'all') this.rebuild();
    else {
      setup.update(ids, this.by());
      this.tell();
    }
  }

  private rebuild(): void {
    this.setup.fill(this.by());
    this.tell();
  }

  private by(): By {
    const arrangement = this.setup.arrangements.of(this.setup.tree);
    return { arrangement, words: filterWords(arrangement.filter) };
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
