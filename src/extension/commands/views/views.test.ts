/** Tests of the trees' own commands with a made-up desk. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARRANGEMENTS, readArrangement } from '../../views/arrangement.ts';
import { container } from '../../views/fake-live.ts';
import type { ContainerNode, NetworkNode, Node } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { type FakeDesk, fakeDesk } from '../fake-desk.ts';
import { connectDropped } from './connect.ts';
import { engineHost } from './ports.ts';
import { VIEW_COMMANDS } from './table.ts';

function command(id: string): Command {
  const found = VIEW_COMMANDS.find((each) => each.id === id);
  assert.ok(found, id);
  return found;
}

const arrangement = (desk: FakeDesk): object => readArrangement(desk.workspaceMemory, 'containers');

test('a filter is shown while it is typed and remembered when it is given', async () => {
  const desk = fakeDesk({ answers: [' web up '] });
  await desk.run(command('pinnace.containers.filter'));
  assert.deepEqual(desk.journal, [
    'ask Filter containers',
    'execute pinnace.explorer.arrange "containers" "web up"',
    'execute pinnace.explorer.arrange "containers"',
  ]);
  assert.deepEqual(arrangement(desk), { group: 'compose', sort: 'name', filter: 'web up' });
  await desk.run(command('pinnace.containers.clearFilter'));
  assert.deepEqual(arrangement(desk), { group: 'compose', sort: 'name', filter: '' });
});

test('a filter that is given up leaves what was', async () => {
  const kept = { group: 'none', sort: 'created', filter: 'db' };
  const desk = fakeDesk({ answers: [undefined], memory: { 'explorer.containers': kept } });
  await desk.run(command('pinnace.containers.filter'));
  assert.deepEqual(arrangement(desk), kept);
});

test('grouping by a label asks which, and complains where there is none', async () => {
  const holdings = {
    container: [container('a', { Labels: { team: 'x' } }), container('b', { Labels: null })],
  };
  const desk = fakeDesk({ holdings, picks: ['A label…', 'team'] });
  await desk.run(command('pinnace.containers.group'));
  assert.deepEqual(arrangement(desk), { group: 'label:team', sort: 'name', filter: '' });
  const none = fakeDesk({ picks: ['A label…'] });
  await assert.rejects(none.run(command('pinnace.containers.group')), /No container has a label/);
});

test('sorting is remembered, Escape changes nothing', async () => {
  const desk = fakeDesk({ picks: ['Newest first', undefined] });
  await desk.run(command('pinnace.images.sort'));
  await desk.run(command('pinnace.images.group'));
  assert.deepEqual(readArrangement(desk.workspaceMemory, 'images'), {
    group: 'repository',
    sort: 'created',
    filter: '',
  });
});

test('a refresh asks for the kind again, on an engine that is ready', async () => {
  const desk = fakeDesk();
  await desk.run(command('pinnace.volumes.refresh'));
  assert.deepEqual(desk.journal, ['refresh volume']);
  const gone = fakeDesk({ notReady: new Error('no engine') });
  await assert.rejects(gone.run(command('pinnace.volumes.refresh')), /no engine/);
});

test('what was remembered by hand or by another version is only taken where it makes sense', () => {
  const desk = fakeDesk({
    memory: { 'explorer.containers': { group: 'label:', sort: 7, filter: 'x'.repeat(999) } },
  });
  const { group, sort, filter } = readArrangement(desk.workspaceMemory, 'containers');
  assert.deepEqual([group, sort, filter.length], ['compose', 'name', 200]);
  assert.equal(ARRANGEMENTS.networks.groups.length, 0);
});

const published = container('web', {
  Ports: [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { IP: '10.0.0.7', PrivatePort: 443, PublicPort: 8443, Type: 'tcp' },
  ],
});
const target = (port: number): object => ({ container: 'web', port, protocol: 'tcp' });

test('a port is opened at the machine of the engine, by what the engine says now', async () => {
  const open = async (argument: unknown, address?: string): Promise<readonly string[]> => {
    const entry = address === undefined ? {} : { entry: { address } };
    const desk = fakeDesk({ holdings: { container: [published] }, ...entry, picks: ['web'] });
    return desk.run(command('pinnace.port.open'), [], argument);
  };
  assert.deepEqual(await open(target(80)), ['open http://localhost:8080/']);
  assert.deepEqual(await open(target(443)), ['open https://10.0.0.7:8443/']);
  assert.deepEqual(await open(target(80), 'ssh://me@build.example:22'), [
    'open http://build.example:8080/',
  ]);
  assert.deepEqual(await open(undefined), ['pick Which port?', 'open http://localhost:8080/']);
  await assert.rejects(open(target(22)), /Port 22\/tcp is not published/);
  await assert.rejects(open({ ...target(80), container: 'other' }), /not published/);
});

test('the address of a port is copied', async () => {
  const desk = fakeDesk({ holdings: { container: [published] } });
  const node: Node = {
    kind: 'port',
    container: 'web',
    port: 80,
    protocol: 'tcp',
    published: { address: '0.0.0.0', port: 8080 },
  };
  assert.deepEqual(await desk.run(command('pinnace.port.copy'), [node]), ['copy localhost:8080']);
  assert.equal(engineHost('tcp://[fe80::1]:2376'), 'fe80::1');
  assert.equal(engineHost('unix:///run/x.sock'), 'localhost');
});

const node = (name: string, facts: object = {}): ContainerNode => ({
  kind: 'container',
  id: name,
  name,
  summary: container(name, facts),
});

test('Enter inspects what can be inspected and unfolds the others', async () => {
  const desk = fakeDesk();
  await desk.run(command('pinnace.explorer.open'), [node('a')]);
  await desk.run(command('pinnace.explorer.open'), [
    { kind: 'group', of: 'image', id: 'x', label: 'x', children: [] },
  ]);
  assert.match(desk.journal[0] ?? '', /^execute pinnace\.container\.inspect /);
  assert.equal(desk.journal[1], 'execute list.toggleExpand');
});

const NETWORK = { kind: 'network', id: 'n1', name: 'shop' } as NetworkNode;

test('containers dropped on a network are connected after a question, without those that are on it', async () => {
  const calls: string[] = [];
  const networks = {
    connect: (id: string, name: string) => {
      if (name === 'bad') return Promise.reject(new Error('no address left'));
      calls.push(`${id} ${name}`);
      return Promise.resolve();
    },
  };
  const joined = node('c', { NetworkSettings: { Networks: { shop: { NetworkID: 'n1' } } } });
  const desk = fakeDesk({ client: { networks } });
  await connectDropped(desk, NETWORK, [node('a'), node('b'), joined]);
  assert.deepEqual(calls, ['n1 a', 'n1 b']);
  assert.equal(desk.journal[0], 'confirm Connect 2 containers to the network shop? | Connect');
  await connectDropped(desk, NETWORK, [joined]);
  assert.equal(desk.journal.at(-1), 'inform On the network shop already.');
  const refused = fakeDesk({ confirms: [false] });
  await connectDropped(refused, NETWORK, [node('a')]);
  assert.deepEqual(refused.journal, ['confirm Connect container a to the network shop? | Connect']);
  await assert.rejects(
    connectDropped(desk, NETWORK, [node('a'), node('bad')]),
    /bad: no address left/,
  );
});
