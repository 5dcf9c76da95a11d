/** A live store for tests of the trees: it holds what the test gives and tells what the test changed. Knows no engine. */
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type { ImageSummary } from '../../lib/api/images.ts';
import type { Memory } from '../commands/desk.ts';
import type { Change, HoldingKind, Holdings, LiveStore } from '../live/store.ts';
import { Listeners } from './row.ts';

type Held = { [K in HoldingKind]: Map<string, Holdings[K]> };

export interface TestStore extends LiveStore {
  state: LiveStore['state'];
  /** Holds it and tells that it changed. */
  put<K extends HoldingKind>(kind: K, ...holdings: Holdings[K][]): void;
  drop(kind: HoldingKind, ...ids: string[]): void;
}

export function testStore(first: {
  readonly [K in HoldingKind]?: readonly Holdings[K][];
}): TestStore {
  const held: Held = {
    container: new Map((first.container ?? []).map((each) => [each.Id, each])),
    image: new Map((first.image ?? []).map((each) => [each.Id, each])),
    volume: new Map((first.volume ?? []).map((each) => [each.Name, each])),
    network: new Map((first.network ?? []).map((each) => [each.Id, each])),
  };
  const changes = new Listeners<Change>();
  const states = new Listeners<undefined>();
  return {
    state: 'live',
    all: (kind) => held[kind],
    onDidChange: (listener) => changes.add(listener),
    onDidChangeState: (listener) => states.add(() => listener()),
    loaded: () => Promise.resolve(),
    refresh: () => Promise.resolve(),
    put(kind, ...holdings) {
      const ids = holdings.map((each) => ('Id' in each ? each.Id : each.Name));
      holdings.forEach((each, index) => held[kind].set(ids[index] ?? '', each));
      changes.call({ kind, ids: new Set(ids) });
    },
    drop(kind, ...ids) {
      for (const id of ids) held[kind].delete(id);
      changes.call({ kind, ids: new Set(ids) });
    },
  };
}

export function testMemory(first: Readonly<Record<string, unknown>> = {}): Memory {
  const kept = new Map(Object.entries(first));
  return {
    get: (key) => kept.get(key),
    set: (key, value) => Promise.resolve(void kept.set(key, value)),
  };
}

/** A running container; `facts` are what the test is about, hostile ones too. */
export function container(id: string, facts: object = {}): ContainerSummary {
  return {
    Id: id,
    Names: [`/${id}`],
    Image: 'busybox',
    ImageID: `sha256:${'1'.repeat(64)}`,
    Command: 'sleep 1',
    Created: 1_700_000_000,
    Ports: [],
    Labels: {},
    State: 'running',
    Status: 'Up 3 minutes',
    HostConfig: { NetworkMode: 'bridge' },
    NetworkSettings: { Networks: {} },
    Mounts: [],
    ...facts,
  };
}

export function image(id: string, tags: readonly string[], facts: object = {}): ImageSummary {
  return {
    Id: `sha256:${id.padEnd(64, '0')}`,
    ParentId: '',
    RepoTags: [...tags],
    RepoDigests: [],
    Created: 1_700_000_000,
    Size: 1_000_000,
    SharedSize: -1,
    VirtualSize: 1_000_000,
    Labels: null,
    Containers: -1,
    ...facts,
  };
}
