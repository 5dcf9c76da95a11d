/** Bundles with a user namespace, run by an unprivileged user: with a subuid range (newuidmap) and with a single id. */

import assert from 'node:assert/strict';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeUser } from '../../support/users.ts';
import type { TestUser } from '../../support/users.ts';
import { Rig } from './rig.ts';
import type { Config, Ran } from './rig.ts';

const rig = new Rig();
const ranged = makeUser({ subids: 'range' });
after(() => {
  ranged.remove();
  rig.close();
});

const NAMESPACES = ['pid', 'network', 'ipc', 'uts', 'mount', 'user', 'cgroup'].map((type) => ({
  type,
}));

/** A copy of the root file system and of the binary that the user owns. */
function own(user: TestUser): { rootfs: string; binary: string } {
  const folder = rig.fresh('own');
  mkdirSync(folder);
  const rootfs = join(folder, 'rootfs');
  cpSync(rig.rootfs, rootfs, { recursive: true, verbatimSymlinks: true });
  const binary = join(folder, 'pinnace-native');
  cpSync(rig.command('ours', [])[0] ?? '', binary);
  chmodSync(binary, 0o755);
  rig.exec(['chown', '-R', `${user.uid}:${user.uid}`, folder]);
  chownSync(folder, user.uid, user.uid);
  return { rootfs, binary };
}

const ours = own(ranged);

function run(script: string, change: (config: Config) => void): Ran {
  const bundle = rig.bundle(script, (config) => {
    config.root['root'] = { path: ours.rootfs, readonly: false };
    config.linux['namespaces'] = NAMESPACES;
    change(config);
  });
  rig.exec(['chown', '-R', `${ranged.uid}`, bundle]);
  const state = join(ranged.home, 'state');
  const command = [ours.binary, '--root', state, 'run', '--bundle', bundle, rig.id()];
  return rig.exec([...ranged.as({}), ...command]);
}

function range(config: Config): void {
  const line = readFileSync('/etc/subuid', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${ranged.name}:`));
  const start = Number(line?.split(':')[1]);
  const maps = [
    { containerID: 0, hostID: ranged.uid, size: 1 },
    { containerID: 1, hostID: start, size: 65_535 },
  ];
  config.linux['uidMappings'] = maps;
  config.linux['gidMappings'] = maps;
}

function single(config: Config): void {
  const maps = [{ containerID: 0, hostID: ranged.uid, size: 1 }];
  config.linux['uidMappings'] = maps;
  config.linux['gidMappings'] = maps;
}

test('a user with a range gets root, other users and a read-only /sys', () => {
  const seen = run(
    'id; hostname; touch /tmp/x && chown 1000:29 /tmp/x && stat -c "%u %g" /tmp/x; touch /sys/x 2>&1; echo y >/dev/null && echo null',
    range,
  );
  assert.equal(seen.status, 0, seen.stderr);
  assert.match(
    seen.stdout,
    /^uid=0\(root\) gid=0\(root\).*\ncontract\n1000 29\n.*Read-only file system\nnull\n$/,
  );
  const user = run('id; cat /proc/self/uid_map | wc -l', (config) => {
    range(config);
    config.process['user'] = { uid: 1000, gid: 1001, additionalGids: [29] };
  });
  assert.match(
    user.stdout,
    /^uid=1000\(node\) gid=1001\(node\) groups=29\(audio\).*\n2\n$/,
    user.stderr,
  );
});

test('with one id, calls that need more succeed without effect when the annotation asks', () => {
  const script = 'touch /tmp/y; chown 1000:1001 /tmp/y; echo $?; stat -c "%u %g" /tmp/y; id -u';
  const with_ = run(script, (config) => {
    single(config);
    config.root['annotations'] = { 'org.pinnace.single-id': 'true' };
  });
  assert.equal(with_.stdout, '0\n0 0\n0\n', with_.stderr);
  const without = run(script, single);
  assert.match(without.stdout, /^1\n0 0\n/, without.stderr);
});

test('the host’s network serves with the host’s sysfs read-only', () => {
  const seen = run('ls /sys/class/net | grep -c lo; touch /sys/kernel/x 2>&1', (config) => {
    range(config);
    config.linux['namespaces'] = NAMESPACES.filter(({ type }) => type !== 'network');
  });
  assert.match(seen.stdout, /^1\n.*(Read-only file system|Permission denied)/, seen.stderr);
});

test('an id that is not mapped is refused and named', () => {
  const seen = run('id', (config) => {
    single(config);
    config.process['user'] = { uid: 1000, gid: 1000 };
  });
  assert.equal(seen.status, 1);
  assert.match(seen.stderr, /cannot become gid 1000/);
});

test('a foreign range is refused by newuidmap, and nothing is left', () => {
  const before = rig.traces();
  const seen = run('id', (config) => {
    const maps = [{ containerID: 0, hostID: 0, size: 1000 }];
    config.linux['uidMappings'] = maps;
    config.linux['gidMappings'] = maps;
  });
  assert.equal(seen.status, 1);
  assert.match(seen.stderr, /newuidmap refuses the id map/);
  assert.equal(rig.traces(), before);
});
