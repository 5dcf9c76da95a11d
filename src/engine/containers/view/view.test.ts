/** Checks how containers are shown: durations, states, filters, ps columns, stats, and diff without mount points. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Container, newState } from '../container.ts';
import type { StoredState } from '../container.ts';
import { withoutStubs } from '../files/archive.ts';
import { hostsText, resolvText } from '../files/hosts.ts';
import { parseGroups } from '../files/groups.ts';
import { judge } from '../health.ts';
import { nextBackoff, shouldRestart } from '../restart.ts';
import { humanDuration, statusText } from './duration.ts';
import { passes } from './filters.ts';
import type { FilterFacts } from './filters.ts';
import { statsBody, takeSample } from './stats.ts';
import { parsePsArgs, topTable } from './top.ts';

function make(
  name: string,
  change: Partial<StoredState> & { labels?: Record<string, string>; created?: string } = {},
): Container {
  const { labels, created, ...state } = change;
  return new Container(
    {
      id: `${name}0`.padEnd(64, '0'),
      created: created ?? '2026-01-01T00:00:00.000Z',
      imageId: 'sha256:1',
      imageName: 'busybox',
      chainId: null,
      platform: 'linux',
      config: { Labels: labels ?? {}, ExposedPorts: { '80/tcp': {} } },
      hostConfig: { NetworkMode: 'none' },
      path: 'sh',
      args: [],
      mounts: [],
      networks: {},
    },
    name,
    { ...newState(), ...state },
  );
}

const others = new Map([['old', make('old', { created: '2025-01-01T00:00:00.000Z' })]]);
const facts: FilterFacts = {
  container: (reference) => others.get(reference) ?? make(reference),
  ancestry: (id) => [id, 'sha256:0'],
  imageId: (reference) => (reference === 'base' ? 'sha256:0' : undefined),
  networkId: () => 'feed',
};

test('durations are told as Docker tells them', () => {
  const cases: [number, string][] = [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [150, '2 minutes'],
    [3600, 'About an hour'],
    [7200, '2 hours'],
    [86400 * 3, '3 days'],
    [86400 * 20, '2 weeks'],
    [86400 * 100, '3 months'],
    [86400 * 1000, '2 years'],
  ];
  for (const [seconds, text] of cases) assert.equal(humanDuration(seconds * 1000), text);
});

test('the status column tells state, exit code, age and health', () => {
  const now = Date.parse('2026-01-01T00:10:00Z');
  const state = {
    ...newState(),
    startedAt: '2026-01-01T00:07:00Z',
    finishedAt: '2026-01-01T00:09:57Z',
    exitCode: 3,
  };
  assert.equal(statusText({ ...state, status: 'running' }, undefined, now), 'Up 3 minutes');
  const health = { Status: 'starting', FailingStreak: 0, Log: [] } as const;
  assert.equal(
    statusText({ ...state, status: 'running' }, { ...health, Log: [] }, now),
    'Up 3 minutes (health: starting)',
  );
  assert.equal(
    statusText({ ...state, status: 'exited' }, undefined, now),
    'Exited (3) 3 seconds ago',
  );
  assert.equal(statusText({ ...state, status: 'paused' }, undefined, now), 'Up 3 minutes (Paused)');
});

test('filters choose by every property and refuse unknown ones', () => {
  const web = make('web', { status: 'exited', exitCode: 2, labels: { tier: 'front' } });
  const check = (filters: Record<string, string[]>) => passes(web, filters, facts);
  assert.ok(check({ name: ['^/web$'], status: ['exited', 'running'], exited: ['2'] }));
  assert.ok(check({ label: ['tier', 'tier=front'] }));
  assert.ok(!check({ label: ['tier', 'tier=back'] }));
  assert.ok(check({ ancestor: ['base'] }));
  assert.ok(!check({ ancestor: ['nosuch'] }));
  assert.ok(check({ since: ['old'], network: ['none'], expose: ['70-90/tcp'] }));
  assert.ok(!check({ before: ['old'] }));
  assert.ok(!check({ publish: ['80'] }));
  assert.throws(() => check({ nope: ['1'] }), /invalid filter 'nope'/);
  assert.throws(() => check({ status: ['asleep'] }), /invalid filter 'status=asleep'/);
});

test('ps columns follow the arguments', () => {
  const titles = (args: string) => parsePsArgs(args).map(([title]) => title);
  assert.deepEqual(titles('-ef'), ['UID', 'PID', 'PPID', 'C', 'STIME', 'TTY', 'TIME', 'CMD']);
  assert.equal(titles('aux')[0], 'USER');
  assert.deepEqual(titles('-eo pid,comm=NAME'), ['PID', 'NAME']);
  assert.throws(() => titles('-Z'), /not supported/);
  const row = topTable(
    parsePsArgs('-o pid,user,time'),
    [
      {
        pid: 7,
        ppid: 1,
        uid: 0,
        tty: '?',
        state: 'S',
        threads: 1,
        cpuTicks: 6100,
        startTicks: 0,
        rssKb: 0,
        vszKb: 0,
        priority: 20,
        nice: 0,
        comm: 'x',
        args: 'x',
      },
    ],
    { userName: () => 'root', bootTime: 0, now: 1, memoryKb: 1 },
  );
  assert.deepEqual(row.Processes, [['7', 'root', '00:01:01']]);
});

test('figures have the shape that docker stats reads', () => {
  const stats = {
    cpu: { usageNs: 5, userNs: 3, systemNs: 2 },
    memory: { usage: 7, limit: null },
    pids: { current: 1, limit: null },
  };
  const now = takeSample(stats, new Date(0));
  const body = statsBody({ id: 'i', name: 'n' }, stats, { now, before: undefined });
  assert.equal((body['memory_stats'] as { usage: number }).usage, 7);
  assert.ok((body['memory_stats'] as { limit: number }).limit > 0);
  assert.equal(
    (body['cpu_stats'] as { cpu_usage: { total_usage: number } }).cpu_usage.total_usage,
    5,
  );
});

test('mount points are not shown as changes', () => {
  const changes = [
    { Path: '/etc', Kind: 0 },
    { Path: '/etc/hosts', Kind: 1 },
    { Path: '/data', Kind: 1 },
    { Path: '/root', Kind: 0 },
    { Path: '/root/x', Kind: 1 },
  ] as const;
  assert.deepEqual(
    withoutStubs(changes, ['/etc/hosts', '/data']).map((change) => change.Path),
    ['/root', '/root/x'],
  );
});

test('hosts and resolv.conf follow the request', () => {
  const text = hostsText({
    host: { ExtraHosts: ['db:10.0.0.1', 'up:host-gateway'], NetworkMode: 'none' },
    hostname: 'web',
    domainname: 'example.org',
    machineHosts: '',
  });
  assert.match(text, /^10\.0\.0\.1\tdb$/m);
  assert.match(text, /^127\.0\.0\.1\tweb\.example\.org web$/m);
  const machineResolv = '# c\nnameserver 1.1.1.1\nsearch a b\noptions x\n';
  assert.equal(
    resolvText({ host: {}, machineResolv }),
    'nameserver 1.1.1.1\nsearch a b\noptions x\n',
  );
  assert.equal(
    resolvText({ host: { Dns: ['9.9.9.9'], DnsSearch: ['.'], DnsOptions: ['y'] }, machineResolv }),
    'nameserver 9.9.9.9\noptions y\n',
  );
});

test('hostile lines of a group file are passed over', () => {
  const table = parseGroups(`audio:x:29:\n:x:0:\nbad\nhuge:x:99999999999:\naudio:x:1:\n`);
  assert.deepEqual([...table], [['audio', 29]]);
});

test('restart policies and pauses are those of Docker', () => {
  const run = { exitCode: 1, restartCount: 0, manuallyStopped: false };
  assert.ok(shouldRestart({ Name: 'always' }, { ...run, exitCode: 0 }));
  assert.ok(!shouldRestart({ Name: 'always' }, { ...run, manuallyStopped: true }));
  assert.ok(
    shouldRestart({ Name: 'on-failure', MaximumRetryCount: 2 }, { ...run, restartCount: 1 }),
  );
  assert.ok(
    !shouldRestart({ Name: 'on-failure', MaximumRetryCount: 2 }, { ...run, restartCount: 2 }),
  );
  assert.ok(!shouldRestart({ Name: 'on-failure' }, { ...run, exitCode: 0 }));
  assert.deepEqual(
    [nextBackoff(0, 0), nextBackoff(100, 0), nextBackoff(40_000, 0), nextBackoff(800, 11)],
    [100, 200, 60_000, 100],
  );
});

test('a health check becomes unhealthy after its retries, and only after the start period', () => {
  const state = { Status: 'starting' as const, FailingStreak: 0, Log: [] };
  const fail = (isStarting: boolean) => judge(state, { isHealthy: false, isStarting, retries: 2 });
  fail(true);
  assert.equal(state.FailingStreak, 0);
  fail(false);
  assert.equal(state.Status, 'starting');
  fail(false);
  assert.equal(state.Status, 'unhealthy');
  judge(state, { isHealthy: true, isStarting: false, retries: 2 });
  assert.equal(state.Status, 'healthy');
});
