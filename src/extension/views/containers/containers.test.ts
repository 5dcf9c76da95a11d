/** Tests of the tree of containers: what rows say, where they stand, what a change refreshes, what hostile engines send. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerSummary } from '../../../lib/api/containers.ts';
import { Arrangements } from '../arrangement.ts';
import { container, testMemory, testStore, type TestStore } from '../fake-live.ts';
import type { GroupNode, Node } from '../nodes.ts';
import type { Changed } from '../row.ts';
import { exitCodeOf, healthOf, nameOf, portsOf, sinceOf, statusAt } from './facts.ts';
import { ContainersModel } from './model.ts';
import { containerHover, containerIcon } from './row.ts';

const NOW = 1_700_000_600_000;

interface Seen {
  readonly model: ContainersModel;
  readonly live: TestStore;
  readonly changes: Changed<Node>[];
  readonly arrangements: Arrangements;
  readonly clock: { now: number };
  readonly lines: () => Promise<string[]>;
}

function tree(containers: readonly ContainerSummary[], arrangement?: object): Seen {
  const live = testStore({ container: containers });
  const memory = testMemory({ 'explorer.containers': arrangement });
  const arrangements = new Arrangements(memory);
  const clock = { now: NOW };
  const model = new ContainersModel({ live, arrangements, now: () => clock.now, branched: false });
  const changes: Changed<Node>[] = [];
  model.onDidChange((changed) => void changes.push(changed));
  const print = async (nodes: readonly Node[], indent: string): Promise<string[]> => {
    const lines: string[] = [];
    for (const node of nodes) {
      const { label, description } = model.row(node);
      lines.push(`${indent}${label} | ${description ?? ''}`);
      if (node.kind === 'group') lines.push(...(await print(await model.children(node), '  ')));
    }
    return lines;
  };
  const lines = async (): Promise<string[]> => print(await model.children(undefined), '');
  return { model, live, changes, arrangements, clock, lines };
}

const project = (name: string): object => ({ Labels: { 'com.docker.compose.project': name } });

test('containers of a compose project stand beneath it, the others behind, sorted as people count', async () => {
  const { lines } = tree([
    container('web-10', project('shop')),
    container('web-2', { ...project('shop'), State: 'exited', Status: 'Exited (1) 2 hours ago' }),
    container('alone'),
    container('db', { Labels: { 'io.podman.compose.project': 'data' } }),
  ]);
  assert.deepEqual(await lines(), [
    'data | 1 running',
    '  db | busybox · Up 3 minutes',
    'shop | 1 of 2 running',
    '  web-2 | busybox · Exited (1) 2 hours ago',
    '  web-10 | busybox · Up 3 minutes',
    'alone | busybox · Up 3 minutes',
  ]);
});

test('groupings by status, by a label and none', async () => {
  const containers = [
    container('a', { Labels: { team: 'x' } }),
    container('b', { State: 'paused', Status: 'Up 1 second (Paused)' }),
  ];
  const by = async (group: string): Promise<string[]> =>
    (await tree(containers, { group }).lines()).map((line) => line.split(' |')[0] ?? '');
  assert.deepEqual(await by('status'), ['Running', '  a', 'Paused', '  b']);
  assert.deepEqual(await by('label:team'), ['x', '  a', 'b']);
  assert.deepEqual(await by('none'), ['a', 'b']);
  assert.deepEqual(await by('no such grouping'), ['a', 'b']);
});

test('sorting by age and by status', async () => {
  const containers = [
    container('old', { Created: 1 }),
    container('new', { Created: 3 }),
    container('ended', { Created: 2, State: 'exited' }),
  ];
  const by = async (sort: string): Promise<string[]> =>
    (await tree(containers, { sort }).lines()).map((line) => line.split(' |')[0] ?? '');
  assert.deepEqual(await by('created'), ['new', 'ended', 'old']);
  assert.deepEqual(await by('status'), ['new', 'old', 'ended']);
});

test('a filter shows what has all its words, also while it is being typed, and counts', async () => {
  const { lines, arrangements, model } = tree([
    container('web', { Ports: [{ PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }] }),
    container('db', { Image: 'postgres' }),
  ]);
  await lines();
  arrangements.reload('containers', 'postgres up');
  assert.deepEqual(await lines(), ['db | postgres · Up 3 minutes']);
  assert.deepEqual(model.counts, { shown: 1, all: 2 });
  arrangements.reload('containers', '8080');
  assert.deepEqual(await lines(), ['web | busybox · Up 3 minutes']);
  arrangements.reload('containers');
  assert.equal((await lines()).length, 2);
});

test('a change of one container refreshes its row alone and keeps its element', async () => {
  const { model, live, changes, lines } = tree([container('a'), container('b')], { group: 'none' });
  const [first] = await model.children(undefined);
  live.put('container', container('a', { State: 'exited', Status: 'Exited (0) 1 second ago' }));
  assert.deepEqual(changes, [[first]]);
  assert.equal((await model.children(undefined))[0], first);
  assert.equal((await lines())[0], 'a | busybox · Exited (0) 1 second ago');
});

test('a change beneath a heading refreshes the heading, a new or lost root the tree', async () => {
  const { model, live, changes } = tree([
    container('a', project('p')),
    container('b', project('p')),
  ]);
  const [group] = await model.children(undefined);
  live.put('container', container('a', { ...project('p'), State: 'exited' }));
  assert.deepEqual(changes.splice(0), [[group]]);
  live.put('container', container('c', project('p')));
  assert.deepEqual(changes.splice(0), [[group]]);
  assert.equal((group as GroupNode).children.length, 3);
  live.put('container', container('alone'));
  assert.deepEqual(changes.splice(0), ['all']);
  live.drop('container', 'a', 'b', 'c');
  assert.deepEqual(changes.splice(0), ['all']);
  assert.equal((await model.children(undefined)).length, 1);
  live.drop('container', 'never there');
  assert.deepEqual(changes, []);
});

test('a renamed container moves, and its parent is asked for again', async () => {
  const { live, lines, changes } = tree([container('a'), container('b')], { group: 'none' });
  await lines();
  live.put('container', container('a', { Names: ['/z'] }));
  assert.deepEqual(changes, ['all']);
  assert.deepEqual(
    (await lines()).map((line) => line.charAt(0)),
    ['b', 'z'],
  );
});

test('the time since a container runs goes on by itself, and only changed rows are told', async () => {
  const { model, clock, changes, lines } = tree([
    container('a', { Status: 'Up 3 minutes (healthy)' }),
    container('b', { Status: 'Up 5 hours' }),
  ]);
  await lines();
  clock.now += 60_000;
  model.tick();
  assert.deepEqual(changes, [[model.find('a')]]);
  assert.deepEqual(await lines(), [
    'a | busybox · Up 4 minutes (healthy)',
    'b | busybox · Up 5 hours',
  ]);
});

test('what Podman and hostile engines send is read without a fall', async () => {
  const { lines, model } = tree([
    container('nulls', {
      Names: null,
      Ports: null,
      Labels: null,
      Mounts: null,
      NetworkSettings: null,
      Status: null,
      Image: null,
      State: 'stopped',
    }),
    container('evil', {
      Names: ['/e|\u202e`x`\n[a](command:b)'],
      Image: '<img src=x onerror=alert(1)>',
      Labels: { 'com.docker.compose.project': '__proto__' },
      Ports: [{ PrivatePort: '80' }, { PrivatePort: 1e9 }, { PrivatePort: 80, Type: '](x)' }],
      Mounts: ['/data', null, { Destination: '/x|y' }],
      Status: 'Up 99999999999999999999 minutes',
    }),
  ]);
  assert.deepEqual(await lines(), [
    '__proto__ | 1 running',
    '  e|\u{fffd}`x`\u{fffd}[a](command:b) | <img src=x onerror=alert(1)> · Up 99999999999999999999 minutes',
    'nulls | exited',
  ]);
  for (const id of ['nulls', 'evil']) {
    const node = model.find(id);
    assert.ok(node);
    const { markdown, commands } = containerHover(node, 'x');
    assert.doesNotMatch(markdown, /command:|<img|\u202e/);
    assert.deepEqual(commands, id === 'evil' ? ['pinnace.port.open'] : []);
  }
});

test('ports that are listed for both families are one, and published ones are links in the hover', async () => {
  const Ports = [
    { PrivatePort: 9000, Type: 'tcp' },
    { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { IP: '127.0.0.1', PrivatePort: 53, PublicPort: 5353, Type: 'udp' },
  ];
  const { model } = tree([container('a', { Ports })]);
  const [node] = await model.children(undefined);
  assert.ok(node?.kind === 'container');
  assert.equal(portsOf(node.summary).length, 3);
  const rows = (await model.children(node)).map((port) => model.row(port));
  assert.deepEqual(
    rows.map(({ label, context }) => [label, context]),
    [
      ['127.0.0.1:5353 → 53/udp', 'port udp published'],
      ['8080 → 80', 'port tcp published browsable'],
      ['9000', 'port tcp inside'],
    ],
  );
  assert.equal(new Set(rows.map(({ id }) => id)).size, 3);
  assert.match(model.hover(node)?.markdown ?? '', /command:pinnace\.port\.open\?/);
  assert.equal(model.parent((await model.children(node))[0] as Node), node);
});

test('states, health and exit codes have icons of their own and words for menus and readers', async () => {
  const faces = [
    container('a', { Status: 'Up 1 second (healthy)' }),
    container('b', { Status: 'Up 1 second (unhealthy)' }),
    container('c', { Status: 'Up 1 second (health: starting)' }),
    container('d', { State: 'exited', Status: 'Exited (137) 1 second ago' }),
    container('e', { State: 'exited', Status: 'Exited (1) 1 second ago' }),
    container('f', { State: 'created', Status: 'Created' }),
  ];
  assert.deepEqual(
    faces.map((summary) => containerIcon(summary).name),
    ['pass', 'warning', 'play-circle', 'debug-stop', 'error', 'circle-large-outline'],
  );
  const { model } = tree(faces);
  const rows = (await model.children(undefined)).map((node) => model.row(node));
  assert.equal(rows[0]?.context, 'container running healthy');
  assert.equal(rows[3]?.context, 'container exited');
  assert.equal(rows[0].accessible, 'container a, Up 1 second (healthy), image busybox');
});

test('facts are read from the texts for people', () => {
  assert.equal(exitCodeOf(container('a', { State: 'exited', Status: 'Exited (3) 1 day ago' })), 3);
  assert.equal(
    healthOf(container('a', { State: 'exited', Status: 'Exited (0) (healthy)' })),
    'none',
  );
  assert.equal(nameOf(container('a', { Names: ['/other/alias', '/own'] })), 'own');
  const since = sinceOf('Up About an hour', NOW);
  assert.ok(since);
  assert.equal(statusAt(since, NOW + 3_600_000), 'Up 2 hours');
  assert.equal(sinceOf('Created', NOW), undefined);
});

test('a thousand containers: building sorts once, one change compares a handful of times', async () => {
  const many = Array.from({ length: 1000 }, (_, index) =>
    container(`c${index}`, project(`p${index % 20}`)),
  );
  const { model, live, changes, lines } = tree(many);
  assert.equal((await lines()).length, 1020);
  assert.ok(model.comparisons < 2000, `building: ${model.comparisons} comparisons`);
  const before = model.comparisons;
  live.put('container', container('c500', { ...project('p0'), State: 'exited' }));
  assert.ok(model.comparisons - before < 20, `a change: ${model.comparisons - before}`);
  assert.equal(changes[0]?.length, 1);
  live.put('container', container('c500', project('p1')));
  assert.ok(model.comparisons - before < 60, `a move: ${model.comparisons - before}`);
  assert.equal(changes[1]?.length, 2);
});
