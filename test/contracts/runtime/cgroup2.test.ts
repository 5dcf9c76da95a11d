/** Limits, freezer, oom kills and update on full cgroup v2, in a guest of our own; and overlays on a kernel before 6.7. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runGuest } from './guest.ts';
import { Config, Rig } from './rig.ts';

const rig = new Rig();
after(() => rig.close());

function bundle(script: string, change: (config: Config) => void = () => undefined): string {
  const config = new Config('/rootfs', ['/bin/sh', '-c', script]);
  config.linux['cgroupsPath'] = '/pinnace/x';
  change(config);
  return JSON.stringify(config.root);
}

const READ =
  'for f in memory.max memory.swap.max memory.low memory.high pids.max cpu.weight cpu.max cpuset.cpus; do echo $f $(cat /sys/fs/cgroup/$f); done';

test('on cgroup v2, limits are enforced, read back and changed, and nothing is left', () => {
  const bundles = {
    limits: bundle(
      `cat /proc/self/cgroup; ${READ}; mkdir /sys/fs/cgroup/x; (dd if=/dev/zero of=/dev/null bs=60M count=1); echo dd $?`,
      (config) => {
        config.linux['resources'] = {
          devices: [{ allow: false, access: 'rwm' }],
          memory: { limit: 33_554_432, swap: 67_108_864, reservation: 16_777_216 },
          pids: { limit: 30 },
          cpu: { shares: 1024, quota: 50_000, period: 100_000, cpus: '0' },
          unified: { 'memory.high': '32768000' },
        };
      },
    ),
    long: bundle('sleep 100'),
    layers: bundle('cat /a; echo new >/b', (config) => {
      config.root['root'] = {
        overlay: { lowers: ['/layers/a', '/rootfs'], upper: '/layers/u', work: '/layers/w' },
      };
    }),
  };
  const script = `
n=pinnace-native
mkdir /layers/a /layers/u /layers/w; echo lower >/layers/a/a
$n run -b /bundles/limits x; echo run $?
$n create -b /bundles/long x >/dev/null </dev/null; $n start x
$n pause x; $n state x | grep status; grep frozen /sys/fs/cgroup/pinnace/x/cgroup.events
$n resume x; $n exec x cat /proc/self/cgroup
echo '{"memory":{"limit":20000768},"pids":{"limit":7}}' | $n update -r - x; echo update $?
cat /sys/fs/cgroup/pinnace/x/memory.max /sys/fs/cgroup/pinnace/x/pids.max
$n delete --force x; echo delete $?
ls -d /sys/fs/cgroup/pinnace/*/ /run/pinnace/* 2>/dev/null
$n run -b /bundles/layers x; cat /layers/u/b`;
  const seen = runGuest(rig, script, bundles);
  const wanted = [
    '0::/',
    'memory.max 33554432',
    'memory.swap.max 33554432',
    'memory.low 16777216',
    'memory.high 32768000',
    'pids.max 30',
    'cpu.weight 39',
    'cpu.max 50000 100000',
    'cpuset.cpus 0',
    "mkdir: can't create directory '/sys/fs/cgroup/x': Read-only file system",
    'Killed',
    'dd 137',
    'run 0',
    '  "status": "paused",',
    'frozen 1',
    '0::/',
    'update 0',
    '20000768',
    '7',
    'delete 0',
    'lower',
    'new',
  ];
  const lines = seen.split('\n').filter((line) => line !== '' && !line.startsWith('['));
  assert.deepEqual(lines, wanted);
});
