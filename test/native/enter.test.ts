// `enter` on the real kernel: the ids, mounts, descriptors and environment that the engine gets in each mode,
// joining a living process, and the errors.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { end } from '../support/children.ts';
import { Rig, nativeBinary, until, type Mode } from './shim-rig.ts';

const modes: readonly Mode[] = ['system', 'rootless', 'single-id'];

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(line: readonly string[], input = ''): Result {
  const [command, ...args] = line;
  assert.ok(command);
  return spawnSync(command, args, { encoding: 'utf8', input, timeout: 120_000 });
}

function errorOf(result: Result): Record<string, unknown> {
  assert.equal(result.status, 1, result.stderr);
  const lines = result.stderr.trim().split('\n');
  assert.equal(lines.length, 1, result.stderr);
  return (JSON.parse(lines[0] ?? '') as { error: Record<string, unknown> }).error;
}

for (const mode of modes) {
  describe(`enter --mode ${mode}`, () => {
    let rig: Rig;
    before(() => {
      rig = new Rig(mode);
    });
    after(async () => {
      await rig.dispose();
    });

    it('makes the command root of its name spaces', () => {
      const result = run(
        rig.entered(['sh', '-c', 'id -u; id -g; echo $PINNACE_MODE; cat /proc/self/uid_map']),
      );
      assert.equal(result.status, 0, result.stderr);
      const [uid, gid, said, ...map] = result.stdout.trim().split('\n');
      assert.deepEqual([uid, gid, said], ['0', '0', mode]);
      const counts = map.map((line) => Number(line.trim().split(/\s+/u)[2]));
      if (mode === 'single-id') assert.deepEqual(counts, [1]);
      if (mode === 'rootless') assert.deepEqual(counts, [1, 65_536]);
    });

    it('makes the roots, private to the user', () => {
      run(rig.entered(['true']));
      for (const name of ['data', 'run']) {
        const stat = statSync(join(rig.root, 'home', name));
        assert.equal(stat.mode & 0o777, 0o700);
        assert.equal(stat.uid, rig.ids.uid);
      }
      const told = run(rig.entered(['sh', '-c', 'echo $PINNACE_DATA_ROOT']));
      assert.equal(told.stdout.trim(), join(rig.root, 'home/data'));
    });

    it('keeps mounts from the host', () => {
      const result = run(
        rig.entered(['sh', '-c', 'mount -t tmpfs none /mnt && touch /mnt/inside && ls /mnt']),
      );
      assert.equal(result.stdout.trim(), 'inside', result.stderr);
      assert.equal(existsSync('/mnt/inside'), false);
    });

    it('passes the streams, further descriptors and the exit status through', () => {
      const [command, ...args] = rig.entered(['sh', '-c', 'cat; cat <&5; echo e >&2; exit 23']);
      assert.ok(command);
      const file = join(rig.root, 'home/five');
      writeFileSync(file, ' and five');
      const fd = openSync(file, 'r');
      const stdio = ['pipe', 'pipe', 'pipe', 'ignore', 'ignore', fd] as const;
      const result = spawnSync(command, args, { encoding: 'utf8', input: 'in', stdio: [...stdio] });
      closeSync(fd);
      assert.equal(result.stdout, 'in and five');
      assert.equal(result.stderr, 'e\n');
      assert.equal(result.status, 23);
    });

    it('stays the same process', async () => {
      const [command, ...args] = rig.entered(['sleep', '1000']);
      assert.ok(command);
      const child = spawn(command, args, { stdio: 'ignore' });
      const { pid } = child;
      assert.ok(pid);
      const name = (): string => readFileSync(`/proc/${String(pid)}/comm`, 'utf8').trim();
      await until(() => name() === 'sleep', 'the command');
      assert.equal(readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8'), '');
      const joined = run(
        rig.asUser([
          join(rig.root, 'pn'),
          'enter',
          '--join',
          String(pid),
          '--',
          'sh',
          '-c',
          'readlink /proc/self/ns/mnt; readlink /proc/self/ns/user; id -u; echo $PINNACE_MODE',
        ]),
      );
      assert.equal(joined.status, 0, joined.stderr);
      const spaces = ['mnt', 'user'].map((space) =>
        readlinkSync(`/proc/${String(pid)}/ns/${space}`),
      );
      assert.deepEqual(joined.stdout.trim().split('\n'), [...spaces, '0', mode]);
      await end(child);
    });

    it('says what it cannot run', () => {
      const error = errorOf(run(rig.entered(['/no/such/program'])));
      assert.equal(error['errno'], 'ENOENT');
      assert.equal(error['path'], '/no/such/program');
    });
  });
}

describe('enter', () => {
  let rig: Rig;
  before(() => {
    rig = new Rig('single-id');
  });
  after(async () => {
    await rig.dispose();
  });

  const enter = (...args: string[]): Result =>
    run(rig.asUser([join(rig.root, 'pn'), 'enter', ...args]));
  const roots = (): string[] => [
    '--data-root',
    join(rig.root, 'home/d'),
    '--run-root',
    join(rig.root, 'home/r'),
  ];

  it('chooses single-id by itself without a range, and says why', () => {
    const result = enter(
      ...roots(),
      '--',
      'sh',
      '-c',
      'echo $PINNACE_MODE; echo $PINNACE_MODE_NOTE',
    );
    assert.match(result.stdout, /^single-id\n.*\/etc\/subuid has no range/u);
  });

  it('refuses rootless without a range and names the way out', () => {
    const error = errorOf(enter(...roots(), '--mode', 'rootless', '--', 'true'));
    assert.equal(error['kind'], 'invalid');
    assert.match(String(error['message']), /subuid.*single-id/u);
  });

  it('refuses system mode to a user', () => {
    assert.equal(errorOf(enter(...roots(), '--mode', 'system', '--', 'true'))['errno'], 'EPERM');
  });

  it('refuses to join what is not there or not of this user', () => {
    assert.equal(errorOf(enter('--join', '999999999', '--', 'true'))['kind'], 'not-found');
    assert.equal(errorOf(enter('--join', '-1', '--', 'true'))['kind'], 'not-found');
    assert.equal(errorOf(enter('--join', String(process.pid), '--', 'true'))['kind'], 'forbidden');
  });

  it('names the sysctl that forbids name spaces', () => {
    const script = `echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"`;
    const inner = [
      nativeBinary(),
      'enter',
      '--data-root',
      '/tmp',
      '--run-root',
      '/tmp',
      '--mode',
      'single-id',
      '--',
      'true',
    ];
    const error = errorOf(
      run(['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script, 'sh', ...inner]),
    );
    assert.match(String(error['message']), /max_user_namespaces is 0.*sysctl/u);
  });

  it('refuses wrong command lines', () => {
    for (const args of [
      ['--', 'true'],
      roots(),
      [...roots(), '--mode', 'odd', '--', 'true'],
      ['--odd'],
    ]) {
      assert.equal(errorOf(enter(...args))['kind'], 'invalid');
    }
  });
});
