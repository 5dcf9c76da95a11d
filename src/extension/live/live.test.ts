/** What events touch, what answers change, and that nothing is lost or told too often. */
import assert from 'node:assert/strict';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { mock, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerSummary } from '../../lib/api/containers.ts';
import type { EventMessage } from '../../lib/api/system.ts';
import { fakeEngines } from '../commands/fake-desk.ts';
import { Announcer } from './announcer.ts';
import { Claims } from './claims.ts';
import { createLive } from './live.ts';
import { Shelf } from './shelf.ts';
import type { Change } from './store.ts';
import { touchesOf } from './touched.ts';

function event(
  Type: string,
  Action: string,
  ID = 'x',
  more: Record<string, string> = {},
): EventMessage {
  return { Type, Action, Actor: { ID, Attributes: more }, scope: 'local', time: 0, timeNano: 0 };
}

const container = (Id: string, State = 'running'): ContainerSummary =>
  ({ Id, State, Names: [`/${Id}`] }) as unknown as ContainerSummary;

test('noise touches nothing, a change its object, a prune everything of the kind', () => {
  for (const action of ['exec_create: sh -c x', 'exec_start', 'exec_die', 'attach', 'top', 'kill'])
    assert.deepEqual(touchesOf(event('container', action)), [], action);
  assert.deepEqual(touchesOf(event('container', 'health_status: healthy')), [
    { kind: 'container', id: 'x', gone: false },
  ]);
  assert.deepEqual(touchesOf(event('container', 'destroy')), [
    { kind: 'container', id: 'x', gone: true },
  ]);
  assert.deepEqual(touchesOf(event('container', 'prune', '')), [
    { kind: 'container', id: undefined, gone: false },
  ]);
  assert.deepEqual(touchesOf(event('network', 'connect', 'n', { container: 'c' })), [
    { kind: 'network', id: 'n', gone: false },
    { kind: 'container', id: 'c', gone: false },
  ]);
  assert.deepEqual(touchesOf(event('volume', 'mount')), []);
  assert.deepEqual(touchesOf(event('plugin', 'enable')), []);
});

test('an answer changes only what is another one, and keeps the objects that are not', async () => {
  const shelf = new Shelf('container');
  assert.deepEqual(await shelf.replace([container('a'), container('b')]), new Set(['a', 'b']));
  const first = shelf.items;
  assert.deepEqual(await shelf.replace([container('a'), container('b')]), new Set());
  assert.equal(shelf.items.get('a'), first.get('a'));
  assert.deepEqual(
    shelf.merge(['a', 'b', 'c'], [container('c'), container('b', 'exited')]),
    new Set(['c', 'b', 'a']),
  );
  assert.deepEqual([...shelf.items.keys()], ['c', 'b']);
  assert.deepEqual([...first.keys()], ['a', 'b'], 'what was given out stays as it was');
});

test('what an event told and the list does not know yet is asked for again, but not for ever', () => {
  const claims = new Claims();
  const running = (id: string): ContainerSummary => container(id);
  claims.seen(event('container', 'start', 'a'));
  assert.deepEqual(claims.doubted(running), new Map());
  for (const id of ['a', 'b', 'c', 'd']) claims.seen(event('container', 'die', id));
  claims.seen(event('container', 'start', 'b'));
  claims.seen(event('container', 'destroy', 'd'));
  const ended = (id: string): ContainerSummary => container(id, id === 'c' ? 'exited' : 'running');
  assert.deepEqual([...claims.doubted(ended).keys()], ['a']);
  const waits: number[] = [];
  for (let each = claims.doubted(running); each.size > 0; each = claims.doubted(running))
    waits.push(...each.values());
  assert.ok(waits.length === 5 && (waits.at(-1) ?? 0) < 5000, waits.join(' '));
  claims.seen(event('container', 'pause', 'a'));
  assert.deepEqual([...claims.doubted(running).keys()], ['a']);
  claims.seen(event('container', 'unpause', 'a'));
  assert.deepEqual(claims.doubted(running), new Map());
  claims.seen(event('network', 'connect', 'n', { container: 'a', name: 'back' }));
  assert.deepEqual([...claims.doubted(running).keys()], ['a']);
  const joined = { NetworkSettings: { Networks: { back: { NetworkID: 'n' } } } };
  const there = { ...container('a'), ...joined } as unknown as ContainerSummary;
  assert.deepEqual(
    claims.doubted(() => there),
    new Map(),
  );
  assert.deepEqual(claims.doubted(running), new Map(), 'it was settled');
});

test('changes of a frame are told together, the first at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const announcer = new Announcer();
    const told: Change[] = [];
    announcer.listen((change) => told.push(change));
    announcer.add({ kind: 'image', ids: new Set(['a']) });
    mock.timers.tick(1);
    assert.equal(told.length, 1);
    announcer.add({ kind: 'image', ids: new Set(['b']) });
    announcer.add({ kind: 'image', ids: new Set(['c']) });
    announcer.add({ kind: 'volume', ids: 'all' });
    mock.timers.tick(30);
    assert.deepEqual(told.slice(1), [
      { kind: 'image', ids: new Set(['b', 'c']) },
      { kind: 'volume', ids: 'all' },
    ]);
  } finally {
    mock.timers.reset();
  }
});

/** An engine of which the test is the inside. */
class Inside {
  readonly containers = new Map<string, ContainerSummary>();
  readonly asked: (readonly string[] | 'all')[] = [];
  private waiting: ((event: EventMessage | undefined) => void) | undefined;
  private readonly queue: (EventMessage | undefined)[] = [];

  say(event: EventMessage | undefined): void {
    const waiting = this.waiting;
    this.waiting = undefined;
    if (waiting === undefined) this.queue.push(event);
    else waiting(event);
  }

  client(): object {
    const stream = async function* (inside: Inside): AsyncGenerator<EventMessage> {
      for (;;) {
        const next =
          inside.queue.length > 0
            ? inside.queue.shift()
            : await new Promise<EventMessage | undefined>((resolve) => (inside.waiting = resolve));
        if (next === undefined) return;
        yield next;
      }
    };
    return {
      system: { watch: () => Promise.resolve(stream(this)) },
      containers: {
        list: async ({ filters }: { filters?: { id: string[] } }) => {
          this.asked.push(filters?.id ?? 'all');
          await delay(1);
          const all = [...this.containers.values()];
          return filters === undefined ? all : all.filter(({ Id }) => filters.id.includes(Id));
        },
      },
      images: {
        list: () =>
          Promise.resolve(Array.from({ length: 1000 }, (_, at) => ({ Id: `sha256:${at}` }))),
      },
      volumes: { list: () => Promise.resolve({ Volumes: null }) },
      networks: { list: () => Promise.resolve([]) },
    };
  }
}

test('a burst of events is one question, and an object that changes while it is asked for is asked again', async () => {
  const inside = new Inside();
  const engines = fakeEngines({ client: inside.client() });
  const live = createLive({ engines, log: () => undefined });
  await live.loaded();
  inside.asked.length = 0;
  inside.containers.set('a', container('a', 'created'));
  for (const action of ['create', 'attach', 'start', 'exec_start: x'])
    inside.say(event('container', action, 'a'));
  await delay(16);
  inside.containers.set('a', container('a', 'exited'));
  inside.say(event('container', 'die', 'a'));
  await delay(80);
  assert.equal(live.all('container').get('a')?.State, 'exited');
  assert.ok(inside.asked.length <= 2, JSON.stringify(inside.asked));
  inside.containers.delete('a');
  inside.say(event('container', 'destroy', 'a'));
  await delay(5);
  assert.equal(live.all('container').size, 0);
  live.dispose();
});

test('a stream that ends is made again, and everything is looked at', async () => {
  const inside = new Inside();
  const live = createLive({
    engines: fakeEngines({ client: inside.client() }),
    log: () => undefined,
  });
  await live.loaded();
  const states: string[] = [];
  live.onDidChangeState(() => states.push(live.state));
  inside.containers.set('b', container('b'));
  inside.say(undefined);
  for (let tries = 0; states.length < 2; tries += 1) {
    assert.ok(tries < 300);
    await delay(10);
  }
  assert.deepEqual(states, ['lost', 'live']);
  assert.equal(live.all('container').size, 1);
  live.dispose();
});

test('a thousand containers and images and a storm of events hold nobody up for long', async (t) => {
  const inside = new Inside();
  const ids = Array.from({ length: 1000 }, (_, at) => `c${String(at)}`);
  for (const id of ids) inside.containers.set(id, container(id));
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  const live = createLive({
    engines: fakeEngines({ client: inside.client() }),
    log: () => undefined,
  });
  await live.loaded();
  let told = 0;
  live.onDidChange(() => (told += 1));
  for (const id of ids) {
    inside.containers.set(id, container(id, 'exited'));
    inside.say(event('container', 'die', id));
    inside.say(event('image', 'tag', id));
  }
  for (let tries = 0; live.all('container').get('c999')?.State !== 'exited'; tries += 1) {
    assert.ok(tries < 500);
    await delay(10);
  }
  delays.disable();
  t.diagnostic(`longest pause ${(delays.max / 1e6).toFixed(1)} ms, ${String(told)} changes told`);
  assert.ok(told <= 10, `${String(told)} changes told`);
  assert.ok(inside.asked.length < 20, JSON.stringify(inside.asked.length));
  live.dispose();
});
