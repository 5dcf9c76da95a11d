/** Limits on full cgroup v2 in a guest of our own: as root from a busy session, and as an ordinary user in the directories that a machine delegates. Nothing here touches the host's cgroups. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { runGuest } from '../runtime/guest.ts';
import { Config, Rig } from '../runtime/rig.ts';

const MIB = 1024 * 1024;
const UID = 1000;

/** Reads every limit back, then runs into each of them. */
const TRY_ALL = `
for f in memory.max memory.swap.max memory.low pids.max cpu.max cpu.weight; do echo $f $(cat /sys/fs/cgroup/$f 2>/dev/null); done
dd if=/dev/zero of=/dev/null bs=60M count=1 2>/dev/null; echo hog $?
used() { sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat; }
up() { sed 's/ .*//; s/[.]//' /proc/uptime; }
start=$(used); began=$(up); (while :; do :; done) & sleep 2; kill $!; echo used $(( $(used) - start )) of $(( ($(up) - began) * 10000 ))
sed -n 's/^oom_kill /kills /p' /sys/fs/cgroup/memory.events
(for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 1 & done; echo all) 2>&1; echo fork $?`;

const LIMITS = {
  memory: { limit: 32 * MIB, swap: 48 * MIB, reservation: 16 * MIB },
  pids: { limit: 12 },
  cpu: { shares: 512, quota: 20_000, period: 100_000 },
};

/** In the guest: `user DIR COMMAND` runs a command line as the user from within a cgroup. */
const SCRIPT = `
n=pinnace-native; cg=/sys/fs/cgroup
echo 'boat:x:${UID}:${UID}::/tmp:/bin/sh' >>/etc/passwd; chmod 1777 /tmp
own() { chown ${UID} $1 $1/cgroup.procs $1/cgroup.subtree_control $1/cgroup.threads; }
user() { sh -c 'echo $$ >$0/cgroup.procs && exec su -p -s /bin/sh boat -c "$1"' "$@"; }
controllers() { sed 's/.*"controllers":\\[\\([^]]*\\)\\].*"root":\\([^,]*\\),"version":\\(.\\).*/\\3 \\2 \\1/' | tr -d '"'; }
probe="$n probe </dev/null"
run() { echo "$n --root /tmp/$1 run -b /bundles/$2 $1 </dev/null; echo status \\$?; cat /proc/self/cgroup"; }
mkdir $cg/session; echo $$ >$cg/session/cgroup.procs
echo "== root"; eval "$probe" | controllers; eval "$(run root root)"
mkdir $cg/own; own $cg/own
echo "== own"; user $cg/own "$probe" | controllers; user $cg/own "$(run own user)"
mkdir $cg/own2; own $cg/own2
echo "== probe of own"; user $cg/own2 "$probe" | controllers; cat $cg/own2/cgroup.subtree_control; ls $cg/own2 | grep pinnace
mkdir $cg/slice $cg/slice/scope; own $cg/slice; own $cg/slice/scope
echo "== slice"; user $cg/slice/scope "$probe" | controllers; user $cg/slice/scope "$(run slice user)"
mkdir $cg/foreign
echo "== none"; user $cg/foreign "$probe" | controllers; user $cg/foreign "$(run none quiet)"
echo "== left"; cd $cg; for d in pinnace own/pinnace slice/pinnace; do ls -d $d/*/ 2>/dev/null; done; ls -d /tmp/own/* /tmp/slice/* /tmp/none/* 2>/dev/null`;

const rig = new Rig();
let sections: ReadonlyMap<string, readonly string[]>;

function bundle(script: string, options: { user: boolean }): string {
  const config = new Config('/rootfs', ['/bin/sh', '-c', script]);
  config.linux['cgroupsPath'] = 'pinnace/x';
  config.linux['resources'] = LIMITS;
  if (options.user) {
    const maps = [{ containerID: 0, hostID: UID, size: 1 }];
    config.linux['uidMappings'] = maps;
    config.linux['gidMappings'] = maps;
    config.linux['namespaces'] = ['pid', 'network', 'ipc', 'uts', 'mount', 'user', 'cgroup'].map(
      (type) => ({ type }),
    );
    for (const mount of config.mounts) {
      const { options: words } = mount;
      if (Array.isArray(words)) mount['options'] = words.filter((word) => word !== 'gid=5');
    }
  }
  return JSON.stringify(config.root);
}

before(() => {
  const output = runGuest(rig, SCRIPT, {
    root: bundle(TRY_ALL, { user: false }),
    user: bundle(TRY_ALL, { user: true }),
    quiet: bundle('echo ran', { user: true }),
  });
  sections = new Map(
    output
      .split('== ')
      .slice(1)
      .map((part): [string, string[]] => {
        const [name = '', ...lines] = part.split('\n');
        return [name, lines.filter((line) => line !== '' && !line.startsWith('['))];
      }),
  );
});
after(() => rig.close());

function section(name: string): readonly string[] {
  const lines = sections.get(name);
  assert.ok(lines !== undefined, `the guest said nothing of ${name}`);
  return lines;
}

/** The lines of TRY_ALL; the processor time is judged apart, as it varies, and against the time that really went by. */
function assertEnforced(lines: readonly string[]): void {
  const [, used, took] = /^used (\d+) of (\d+)$/m.exec(lines.join('\n')) ?? [];
  const part = Number(used) / Number(took);
  assert.ok(part > 0.05 && part < 0.4, `${part} of a processor, 0.2 allowed:\n${lines.join('\n')}`);
  assert.deepEqual(
    lines.filter((line) => !line.startsWith('used ')),
    [
      `memory.max ${32 * MIB}`,
      `memory.swap.max ${16 * MIB}`,
      `memory.low ${16 * MIB}`,
      'pids.max 12',
      'cpu.max 20000 100000',
      'cpu.weight 20',
      'hog 137',
      'kills 1',
      "/bin/sh: can't fork: Resource temporarily unavailable",
      'fork 2',
      'status 0',
    ],
  );
}

/** The probe's version, place and controllers, then the limits, then where the caller ended up. */
function assertPlace(name: string, wanted: { place: string; own: string }): void {
  const [probe = '', ...lines] = section(name);
  const [version, place, controllers = ''] = probe.split(' ');
  assert.deepEqual([version, place], ['2', wanted.place]);
  for (const controller of ['cpu', 'memory', 'pids'])
    assert.ok(controllers.split(',').includes(controller), probe);
  assertEnforced(lines.slice(0, -1));
  assert.equal(lines.at(-1), `0::${wanted.own}`);
}

test('root is enforced upon from within a session that has processes', () => {
  assertPlace('root', { place: '/sys/fs/cgroup', own: '/session' });
});

test('a user whose own directory is delegated is enforced upon: its processes make room', () => {
  assertPlace('own', { place: '/sys/fs/cgroup/own', own: '/own/pinnace-engine' });
});

test('the probe changes nothing', () => {
  const [probe, ...changed] = section('probe of own');
  assert.match(probe ?? '', /^2 \/sys\/fs\/cgroup\/own2 .*cpu.*memory.*pids/);
  assert.deepEqual(changed, []);
});

test('a user whose parent directory is delegated stays where it is', () => {
  assertPlace('slice', { place: '/sys/fs/cgroup/slice', own: '/slice/scope' });
});

test('without a delegated directory nothing is claimed, and the container runs', () => {
  const [probe, ...lines] = section('none');
  assert.equal(probe?.trim(), '2 null');
  assert.deepEqual(lines, ['ran', 'status 0', '0::/foreign']);
});

test('no cgroup and no state of a container is left', () => {
  assert.deepEqual(section('left'), []);
});
