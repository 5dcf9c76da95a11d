/** Checks the predefined networks and what is refused about them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNetworks } from './networks.ts';

const networks = createNetworks({ seed: '/data', created: '2026-01-01T00:00:00Z' });

test('the three predefined networks are found by name, id and prefix', () => {
  assert.deepEqual(
    networks.list({}).map((network) => network.Name),
    ['bridge', 'host', 'none'],
  );
  const host = networks.get('host');
  assert.equal(networks.get(host.Id).Name, 'host');
  assert.equal(networks.get(host.Id.slice(0, 12)).Name, 'host');
  assert.equal(networks.get('default').Name, 'bridge');
  assert.throws(() => networks.get('nope'), { kind: 'not-found' });
});

test('the bridge says that it reaches loopback only', () => {
  assert.match(networks.get('bridge').Labels['org.pinnace.limitation'] ?? '', /loopback only/);
});

test('making and changing networks is refused with the way out', () => {
  assert.throws(() => networks.create({ Name: 'mine' }), { kind: 'not-implemented' });
  assert.throws(() => networks.create({ Name: 'host' }), { kind: 'forbidden' });
  assert.throws(() => networks.connect('bridge', 'c'), /container:ID/);
  assert.throws(() => networks.remove('none'), /pre-defined/);
});

test('filters choose networks and unknown ones are refused', () => {
  const names = (filters: Record<string, string[]>) =>
    networks.list(filters).map((network) => network.Name);
  assert.deepEqual(names({ driver: ['null'] }), ['none']);
  assert.deepEqual(names({ name: ['hos'] }), ['host']);
  assert.deepEqual(names({ type: ['custom'] }), []);
  assert.throws(() => names({ nope: ['x'] }), /invalid filter 'nope'/);
});

test('members are shown with their network', () => {
  const own = createNetworks({ seed: '/other', created: '' });
  own.setMembers(() => [{ id: 'abc', name: 'web', network: 'none' }]);
  assert.equal(own.get('none').Containers['abc']?.Name, 'web');
  assert.deepEqual(own.get('host').Containers, {});
});
