/** Checks the arithmetic on addresses against known texts and its own inverse. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  contains,
  formatAddress,
  formatPrefix,
  last,
  overlap,
  parseAddress,
  parsePrefix,
} from './addresses.ts';
import type { Prefix } from './addresses.ts';
import { AddressLeases } from './leases.ts';
import { choosePool, hostRoutes, uniqueLocalPools } from './pools.ts';
import type { Subnet } from './types.ts';

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  assert.ok(parsed !== undefined, text);
  return parsed;
}

test('addresses are read and written in their shortest form', () => {
  const forms: [string, string][] = [
    ['172.18.0.1', '172.18.0.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['fd00:0:0:1::', 'fd00:0:0:1::'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
  ];
  for (const [text, short] of forms) {
    const parsed = parseAddress(text);
    assert.ok(parsed !== undefined, text);
    assert.equal(formatAddress(parsed), short);
  }
  for (const text of ['', '1.2.3', '1.2.3.4.5', '256.1.1.1', 'fe80::1%eth0', ':::', 'a'])
    assert.equal(parseAddress(text), undefined, text);
});

test('prefixes are read with their host bits, and written without', () => {
  assert.equal(formatPrefix(prefix('172.18.5.9/16')), '172.18.0.0/16');
  assert.equal(formatPrefix(prefix('fd00::1/64')), 'fd00::/64');
  assert.equal(formatAddress({ family: 4, value: last(prefix('10.0.0.0/30')) }), '10.0.0.3');
  for (const text of [
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    'x/8',
    '10.0.0.0/8/8',
    'fd00::/129',
  ])
    assert.equal(parsePrefix(text), undefined, text);
});

test('prefixes overlap and hold addresses only within their family', () => {
  assert.equal(overlap(prefix('10.0.0.0/8'), prefix('10.9.0.0/16')), true);
  assert.equal(overlap(prefix('10.0.0.0/16'), prefix('10.1.0.0/16')), false);
  assert.equal(overlap(prefix('0.0.0.0/0'), prefix('::/0')), false);
  const inside = parseAddress('10.0.255.255');
  assert.ok(inside !== undefined && contains(prefix('10.0.0.0/16'), inside));
});

test('pools are taken in order, beside networks and the routes of the host', () => {
  const facts = { seed: 's', taken: [prefix('172.17.0.0/16'), prefix('172.18.4.0/24')] };
  assert.equal(formatPrefix(choosePool(4, facts)), '172.19.0.0/16');
  const all = { seed: 's', taken: [prefix('172.16.0.0/12')] };
  assert.equal(formatPrefix(choosePool(4, all)), '192.168.0.0/20');
  assert.throws(
    () => choosePool(4, { seed: 's', taken: [prefix('128.0.0.0/1')] }),
    /fully subnetted/,
  );
  const six = choosePool(6, { seed: 's', taken: [] });
  assert.match(formatPrefix(six), /^fd[0-9a-f]{2}:[0-9a-f:]+\/64$/);
  const second = choosePool(6, { seed: 's', taken: [six] });
  assert.notEqual(formatPrefix(second), formatPrefix(six));
  assert.deepEqual([...uniqueLocalPools('s')].length, 65536);
});

test("the host's routes are read from the kernel's tables, without default and link-local ones", () => {
  const files: Record<string, string> = {
    '/proc/net/route':
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n' +
      'eth0\t00000000\t0101A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n' +
      'eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n',
    '/proc/net/ipv6_route':
      'fd000000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0\n' +
      'fe800000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001 eth0\n',
  };
  const routes = hostRoutes((path) => files[path] ?? '');
  assert.deepEqual(routes.map(formatPrefix), ['172.18.0.0/16', 'fd00::/64']);
  assert.deepEqual(
    hostRoutes(() => {
      throw new Error('no /proc');
    }),
    [],
  );
});

const SUBNET: Subnet = {
  cidr: '10.1.0.0/29',
  gateway: '10.1.0.1',
  auxiliary: { printer: '10.1.0.3' },
  configured: true,
};

test('addresses go out in turn, and one that came back waits until the others were used', () => {
  const leases = new AddressLeases([SUBNET]);
  const take = () => leases.take(4)?.address;
  assert.equal(take(), '10.1.0.2');
  assert.equal(take(), '10.1.0.4', 'not the printer');
  leases.release('10.1.0.2');
  assert.deepEqual([take(), take(), take()], ['10.1.0.5', '10.1.0.6', '10.1.0.2']);
  assert.throws(take, { kind: 'forbidden' });
  assert.equal(leases.take(6), undefined, 'no such subnet');
});

test('a wished address must be free and within the subnet', () => {
  const leases = new AddressLeases([SUBNET]);
  assert.deepEqual(leases.take(4, '10.1.0.6'), {
    address: '10.1.0.6',
    bits: 29,
    gateway: '10.1.0.1',
  });
  assert.throws(() => leases.take(4, '10.1.0.6'), /^EngineError: Address already in use$/);
  assert.throws(() => leases.take(4, '10.1.0.1'), /already in use/);
  assert.throws(() => leases.take(4, '10.2.0.1'), /no configured subnet or ip-range contain/);
  assert.throws(() => leases.take(6, 'fd00::1'), /no configured subnet/);
});

test('an address of before is taken again while it is free', () => {
  const leases = new AddressLeases([SUBNET]);
  assert.equal(leases.take(4, undefined, ['fd00::1', '10.1.0.5'])?.address, '10.1.0.5');
  assert.equal(leases.take(4, undefined, ['10.1.0.5', '10.9.0.1'])?.address, '10.1.0.2');
});

test('a range bounds what is chosen but not what is wished, and adopted addresses are taken', () => {
  const leases = new AddressLeases([{ ...SUBNET, cidr: '10.1.0.0/16', range: '10.1.8.0/30' }]);
  leases.adopt('10.1.8.1');
  const got = [leases.take(4), leases.take(4), leases.take(4)].map((lease) => lease?.address);
  assert.deepEqual(got.sort(), ['10.1.8.0', '10.1.8.2', '10.1.8.3']);
  assert.equal(leases.take(4, '10.1.200.1')?.address, '10.1.200.1');
});
