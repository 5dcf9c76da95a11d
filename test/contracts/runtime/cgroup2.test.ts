/** Limits, device rules, freezer, oom kills and update on full cgroup v2, in a guest of our own; and overlays on a kernel before 6.7. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { runGuest } from './guest.ts';
import { Config, Rig, type Json } from './rig.ts';

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

/** The rules that the engine writes, and those of one more device. */
function deviceRules(...more: Json[]): Json[] {
  const allow = (major: number, minor: number): Json => ({
    allow: true,
    type: 'c',
    major,
    minor,
    access: 'rwm',
  });
  return [{ allow: false, access: 'rwm' }, allow(1, 3), allow(1, 5), ...more];
}

/** Makes nodes of /dev/mem, a serial port and a RAM disk, and opens them and /dev/null. */
const OPENS = `
mknod /tmp/mem c 1 1; mknod /tmp/port c 4 64; mknod /tmp/ram b 1 0
for d in /dev/null /tmp/mem /tmp/port /tmp/ram; do
  if (: <$d) 2>/tmp/e; then echo read $d; else echo read $d $(sed 's/.*: //' /tmp/e); fi
done
for d in /dev/null /tmp/port; do
  if (: >$d) 2>/tmp/e; then echo write $d; else echo write $d $(sed 's/.*: //' /tmp/e); fi
done`;

test('on cgroup v2, device rules decide what may be opened, also in exec and after update', () => {
  const withRules = (script: string, rules: Json[]): string =>
    bundle(script, (config) => {
      config.linux['resources'] = { devices: rules };
    });
  const port: Json = { allow: true, type: 'c', major: 4, minor: 64, access: 'r' };
  const bundles = {
    denied: withRules(OPENS, deviceRules()),
    allowed: withRules(OPENS, deviceRules(port)),
    everything: withRules(OPENS, [{ allow: true, access: 'rwm' }]),
    long: withRules('mknod /tmp/port c 4 64; mknod /tmp/mem c 1 1; sleep 100', deviceRules()),
    mapped: withRules('echo ran; mknod /tmp/new c 1 1; : </dev/null && echo null', deviceRules()),
    wrong: withRules('true', deviceRules({ allow: true, type: 'x', access: 'rwm' })),
  };
  const update = (rules: Json[]): string => JSON.stringify({ devices: rules });
  const script = `
n=pinnace-native
for b in denied allowed everything; do echo $b; $n run -b /bundles/$b x; rm -f /rootfs/tmp/*; done
echo update
$n create -b /bundles/long x >/dev/null </dev/null; $n start x; sleep 1
try() { $n exec x sh -c ': <'$1 2>/tmp/e && echo $1 opens || sed "s,.*: ,$1 ," /tmp/e; }
try /tmp/port
echo '${update(deviceRules(port))}' | $n update -r - x; try /tmp/port; try /tmp/mem
echo '{"pids":{"limit":50}}' | $n update -r - x; try /tmp/port
echo '${update(deviceRules())}' | $n update -r - x; try /tmp/port; try /dev/null
$n delete --force x
unshare -Ur $n run -b /bundles/mapped x; echo mapped $?
$n run -b /bundles/wrong x 2>&1 | grep -o 'type "x" is none of a, b, c, u'
ls -d /sys/fs/cgroup/pinnace/*/ 2>/dev/null`;
  const seen = runGuest(rig, script, bundles);
  const denied = 'Operation not permitted';
  const wanted = [
    'denied',
    'read /dev/null',
    `read /tmp/mem ${denied}`,
    `read /tmp/port ${denied}`,
    `read /tmp/ram ${denied}`,
    'write /dev/null',
    `write /tmp/port ${denied}`,
    'allowed',
    'read /dev/null',
    `read /tmp/mem ${denied}`,
    'read /tmp/port',
    `read /tmp/ram ${denied}`,
    'write /dev/null',
    `write /tmp/port ${denied}`,
    'everything',
    'read /dev/null',
    // Beyond the rules: /dev/mem needs CAP_SYS_RAWIO, and the guest has no RAM disks.
    `read /tmp/mem ${denied}`,
    'read /tmp/port',
    'read /tmp/ram No such device or address',
    'write /dev/null',
    'write /tmp/port',
    'update',
    `/tmp/port ${denied}`,
    '/tmp/port opens',
    `/tmp/mem ${denied}`,
    '/tmp/port opens',
    `/tmp/port ${denied}`,
    '/dev/null opens',
    'ran',
    `mknod: /tmp/new: ${denied}`,
    'null',
    'mapped 0',
    'type "x" is none of a, b, c, u',
  ];
  const lines = seen.split('\n').filter((line) => line !== '' && !line.startsWith('['));
  assert.deepEqual(lines, wanted);
});
