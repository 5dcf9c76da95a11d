/**
 * The real LiveStore. Theory of operation: the event stream is opened before anything is listed, so that no change falls
 * between the two; each event then marks what it touches, and what is marked is asked for again, one call a kind at a
 * time, so that answers cannot overtake one another. Nothing is polled; a stream that breaks is made again with growing
 * pauses and everything is listed anew. The stream does not keep the bundled engine from ending. Knows no editor.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '../../client/api/client.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Engine, Engines, Listener } from '../engine/engines.ts';
import { Announcer } from './announcer.ts';
import { Claims } from './claims.ts';
import { ask } from './questions.ts';
import { Shelf } from './shelf.ts';
import type { Change, HoldingKind, Holdings, LiveStore } from './store.ts';
import { touchesOf } from './touched.ts';

const KINDS: readonly HoldingKind[] = ['container', 'image', 'volume', 'network'];
/** Events come in bursts (a start is four): what they touch is asked for together. */
const GATHER = 15;
/** More ids than this are asked for as a whole list. */
const MANY = 40;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 15_000;

export interface LiveSetup {
  readonly engines: Engines;
  readonly log: (message: string) => void;
}

export interface Live extends LiveStore {
  dispose(): void;
}

export function createLive(setup: LiveSetup): Live {
  return new EngineLive(setup);
}

type Shelves = { readonly [K in HoldingKind]: Shelf<K> };

class EngineLive implements Live {
  state: LiveStore['state'] = 'off';
  private readonly setup: LiveSetup;
  private readonly shelves: Shelves = {
    container: new Shelf('container'),
    image: new Shelf('image'),
    volume: new Shelf('volume'),
    network: new Shelf('network'),
  };
  private readonly announcer = new Announcer();
  private readonly stateListeners = new Set<() => void>();
  private readonly subscription: Listener;
  private first = Promise.withResolvers<undefined>();
  private session: Session | undefined;

  constructor(setup: LiveSetup) {
    this.setup = setup;
    this.subscription = setup.engines.onDidChange(() => this.follow());
    this.follow();
  }

  all<K extends HoldingKind>(kind: K): ReadonlyMap<string, Holdings[K]> {
    return this.shelves[kind].items;
  }

  onDidChange(listener: (change: Change) => void): Listener {
    return this.announcer.listen(listener);
  }

  onDidChangeState(listener: () => void): Listener {
    this.stateListeners.add(listener);
    return { dispose: () => void this.stateListeners.delete(listener) };
  }

  async loaded(): Promise<void> {
    await this.first.promise;
  }

  async refresh(kind: HoldingKind): Promise<void> {
    await this.session?.refresh(kind);
  }

  dispose(): void {
    this.subscription.dispose();
    this.session?.end();
    this.announcer.dispose();
    this.stateListeners.clear();
  }

  /** The active engine or its state has changed. */
  private follow(): void {
    const engine = this.setup.engines.active;
    const ready = engine.state.kind === 'ready';
    // Another client means another address.
    if (this.session?.isOf(engine) === true && (ready || engine.state.kind === 'connecting'))
      return;
    if (this.session !== undefined) this.leave();
    if (!ready) return;
    this.set('loading');
    this.session = new Session({
      engine,
      shelves: this.shelves,
      log: this.setup.log,
      changed: (change) => this.announcer.add(change),
      live: () => this.arrive(),
      lost: async () => {
        this.set('lost');
        await this.setup.engines.refreshActive();
      },
    });
    void this.session.run();
  }

  private arrive(): void {
    this.set('live');
    this.first.resolve(undefined);
  }

  private leave(): void {
    this.session?.end();
    this.session = undefined;
    for (const kind of KINDS) {
      if (this.shelves[kind].items.size === 0) continue;
      this.shelves[kind].clear();
      this.announcer.add({ kind, ids: 'all' });
    }
    this.first = Promise.withResolvers();
    this.set('off');
  }

  private set(state: LiveStore['state']): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of [...this.stateListeners]) listener();
  }
}

interface SessionSetup {
  readonly engine: Engine;
  readonly shelves: Shelves;
  readonly log: (message: string) => void;
  readonly changed: (change: Change) => void;
  readonly live: () => void;
  /** Resolves once it is known whether the engine is still there. */
  readonly lost: () => Promise<void>;
}

/** What was touched and not yet asked for; `asking` is the call under way. */
interface Desired {
  ids: Set<string> | 'all';
  asking: Promise<void> | undefined;
}

/** One engine's stream and questions, until it is left. */
class Session {
  private readonly setup: SessionSetup;
  private readonly client: Client;
  private readonly abort = new AbortController();
  private readonly claims = new Claims();
  private readonly desired: Readonly<Record<HoldingKind, Desired>> = {
    container: { ids: new Set(), asking: undefined },
    image: { ids: new Set(), asking: undefined },
    volume: { ids: new Set(), asking: undefined },
    network: { ids: new Set(), asking: undefined },
  };

  constructor(setup: SessionSetup) {
    this.setup = setup;
    this.client = setup.engine.client;
  }

  isOf(engine: Engine): boolean {
    return this.setup.engine === engine && this.client === engine.client;
  }

  end(): void {
    this.abort.abort();
  }

  private isOver(): boolean {
    return this.abort.signal.aborted;
  }

  async refresh(kind: HoldingKind): Promise<void> {
    this.desired[kind].ids = 'all';
    await this.answer(kind, 0);
  }

  async run(): Promise<void> {
    let pause = FIRST_PAUSE;
    while (!this.isOver()) {
      const began = performance.now();
      try {
        await this.stream();
        this.setup.log('the event stream ended');
      } catch (error) {
        if (this.isOver()) return;
        this.setup.log(`the event stream broke: ${messageOf(error)}`);
      }
      if (this.isOver()) return;
      await this.setup.lost();
      if (performance.now() - began > LONGEST_PAUSE) pause = FIRST_PAUSE;
      await delay(pause, undefined, { signal: this.abort.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  /** From the opening of the stream to its end. */
  private async stream(): Promise<void> {
    const { signal } = this.abort;
    const broken = new AbortController();
    const either = AbortSignal.any([signal, broken.signal]);
    const events = await this.client.system.watch({ onlooker: true, signal: either });
    const loading = this.load().catch((error: unknown) => {
      broken.abort();
      throw error;
    });
    loading.catch(() => undefined); // Awaited below, after the stream that it ends.
    try {
      for await (const event of events) {
        this.claims.seen(event);
        for (const touch of touchesOf(event)) this.touch(touch);
      }
    } catch (error) {
      if (!broken.signal.aborted) throw error;
    }
    await loading;
  }

  private async load(): Promise<void> {
    await Promise.all(KINDS.map((kind) => this.refresh(kind)));
    if (!this.abort.signal.aborted) this.setup.live();
  }

  private touch({ kind, id, gone }: ReturnType<typeof touchesOf>[number]): void {
    const desired = this.desired[kind];
    if (gone && id !== undefined && desired.asking === undefined) {
      if (desired.ids !== 'all') desired.ids.delete(id);
      this.tell(kind, this.setup.shelves[kind].merge([id], []));
      return;
    }
    if (id === undefined) desired.ids = 'all';
    else if (desired.ids !== 'all') desired.ids.add(id);
    this.answer(kind, GATHER).catch((error: unknown) => {
      if (this.isOver()) return;
      // What was asked for is not known: the next event asks for everything.
      desired.ids = 'all';
      this.setup.log(`list of ${kind}s: ${messageOf(error)}`);
    });
  }

  /** Asks until nothing is desired; calls while one is under way are a part of it. */
  private answer(kind: HoldingKind, wait: number): Promise<void> {
    const desired = this.desired[kind];
    return (desired.asking ??= this.askAll(kind, wait).finally(() => {
      desired.asking = undefined;
    }));
  }

  private async askAll(kind: HoldingKind, wait: number): Promise<void> {
    const desired = this.desired[kind];
    const { signal } = this.abort;
    for (let pause = wait; desired.ids === 'all' || desired.ids.size > 0; pause = GATHER) {
      if (pause > 0) await delay(pause, undefined, { signal });
      const ids = desired.ids;
      desired.ids = new Set();
      await this.askOnce(kind, ids !== 'all' && ids.size > MANY ? 'all' : ids);
    }
  }

  private async askOnce(kind: HoldingKind, ids: Set<string> | 'all'): Promise<void> {
    const { signal } = this.abort;
    const list = await ask(this.client, kind, ids, signal);
    if (signal.aborted) return;
    const shelf: Shelf<HoldingKind> = this.setup.shelves[kind];
    this.tell(kind, list.whole ? await shelf.replace(list.items) : shelf.merge(ids, list.items));
    if (kind === 'container') this.doubt();
  }

  private doubt(): void {
    const { items } = this.setup.shelves.container;
    const { signal } = this.abort;
    for (const [id, wait] of this.claims.doubted((each) => items.get(each))) {
      delay(wait, undefined, { signal }).then(
        () => this.touch({ kind: 'container', id, gone: false }),
        () => undefined, // The engine was left.
      );
    }
  }

  private tell(kind: HoldingKind, ids: ReadonlySet<string>): void {
    if (ids.size > 0 && !this.abort.signal.aborted) this.setup.changed({ kind, ids });
  }
}
