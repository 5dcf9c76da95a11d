/** podman drives our binary through conmon: what it asks of an OCI runtime works. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { join } from 'node:path';
import { Rig } from './rig.ts';
import type { Ran } from './rig.ts';

const rig = new Rig();
const image = 'localhost/contract:1';

function podman(...args: string[]): Ran {
  const binary = rig.command('ours', [])[0] ?? '';
  const roots = ['--root', join(rig.dir, 'podman'), '--runroot', join(rig.dir, 'podman-run')];
  const tmp = ['--tmpdir', join(rig.dir, 'podman-tmp'), '--cgroup-manager', 'cgroupfs'];
  return rig.exec([
    'podman',
    ...roots,
    ...tmp,
    '--events-backend',
    'none',
    '--runtime',
    binary,
    ...args,
  ]);
}

after(() => {
  podman('rm', '-af');
  podman('rmi', '-af');
  rig.exec([
    'sh',
    '-c',
    `umount -l ${rig.dir}/podman/overlay ${rig.dir}/podman-run/* 2>/dev/null; true`,
  ]);
  rig.close();
});

test('a container runs with Docker’s capabilities and seccomp, and its status comes back', () => {
  assert.equal(
    rig.exec(['which', 'podman']).status,
    0,
    'this test needs podman: apt-get install podman',
  );
  const archive = rig.fresh('image.tar');
  rig.exec(['tar', '-C', rig.rootfs, '-cf', archive, '.']);
  assert.equal(podman('import', archive, image).status, 0);
  const ran = podman(
    'run',
    '--rm',
    '--network',
    'none',
    image,
    'sh',
    '-c',
    'grep Seccomp: /proc/self/status; hostname; exit 7',
  );
  assert.equal(ran.status, 7, ran.stderr);
  assert.match(ran.stdout, /^Seccomp:\s2\n[0-9a-f]{12}\n$/);
});

test('a program that does not exist gives 127', () => {
  assert.equal(podman('run', '--rm', '--network', 'none', image, 'nosuch').status, 127);
});

test('exec, pause, stop and inspect work on a detached container', () => {
  const id = podman('run', '-d', '--network', 'none', image, 'sleep', '100').stdout.trim();
  assert.match(id, /^[0-9a-f]{64}$/);
  const ran = podman(
    'exec',
    '-e',
    'A=1',
    '-w',
    '/tmp',
    '-u',
    'node',
    id,
    'sh',
    '-c',
    'id -un; pwd; echo $A; exit 5',
  );
  assert.equal(ran.status, 5, ran.stderr);
  assert.equal(ran.stdout, 'node\n/tmp\n1\n');
  assert.equal(podman('pause', id).status, 0);
  assert.equal(podman('unpause', id).status, 0);
  assert.equal(podman('kill', '-s', 'KILL', id).status, 0);
  assert.equal(podman('wait', id).stdout, '137\n');
  assert.equal(podman('rm', id).status, 0);
});
