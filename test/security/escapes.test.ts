/** The known escapes of container engines, each tried on ours: what an image or a container does must stay in it. The numbers are those of the table of known escapes. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import {
  startTestEngine,
  type EngineMode,
  type Result,
  type TestEngine,
} from '../support/engine.ts';
import { loadEvilImage } from '../support/evil-image.ts';
import { tar, type TarEntry } from '../support/tar.ts';

for (const mode of ['system', 'rootless'] as const) {
  describe(`known escapes in mode ${mode}`, () => suite(mode));
}

/** Kernel settings of the host that escapes aim at. */
function hostSettings(): string {
  const files = globSync('/proc/sys/kernel/{core_pattern,hostname,sysrq,modprobe}').sort();
  return files.map((file) => readFileSync(file, 'utf8')).join('');
}

/** A perl program that makes one system call and prints its errno (0: it worked). */
function syscall(x64: number, arm64: number, args: string): string[] {
  const number = process.arch === 'arm64' ? arm64 : x64;
  // The strings are copies, because perl hands out no literals to be written to.
  const code = `my ($s, $d, $e) = ("tmpfs", "/mnt", ""); my $r = syscall(${String(number)}, ${args}); print $r == -1 ? $!+0 : 0`;
  return ['perl', '-e', code];
}

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let outside: string;
  let canary: string;
  let helper: string;
  let helperHash: string;
  let settings: string;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  const run = (...args: string[]): Promise<Result> =>
    engine.tryDocker(['run', '--rm', ...args], { timeout: 60_000 });
  const hashOfHelper = (): string =>
    createHash('sha256').update(readFileSync(helper)).digest('hex');
  const unharmed = (): void => {
    assert.equal(readFileSync(canary, 'utf8'), 'alive');
    assert.deepEqual(readdirSync(outside).sort(), ['canary']);
    assert.equal(hashOfHelper(), helperHash);
    assert.equal(hostSettings(), settings);
  };
  const evil = async (name: string, entries: readonly TarEntry[]): Promise<void> =>
    assert.equal(await loadEvilImage(engine, name, { entries }), 0, `${name} loads`);

  before(async () => {
    outside = mkdtempSync('/tmp/pinnace-outside-');
    // Whoever gets out could read and write there, whatever the engine's user and the umask are.
    chmodSync(outside, 0o777);
    canary = join(outside, 'canary');
    writeFileSync(canary, 'alive');
    chmodSync(canary, 0o666);
    settings = hostSettings();
    engine = await startTestEngine(mode);
    const environment = readFileSync(`/proc/${String(await engine.pid())}/environ`, 'utf8');
    helper = /(?:^|\0)PINNACE_NATIVE=([^\0]+)/.exec(environment)?.[1] ?? '';
    helperHash = hashOfHelper();
    await docker('load', '-i', archiveOf('busybox:latest'));
    await docker('load', '-i', archiveOf('debian:bookworm-slim'));
  });
  after(async () => {
    const left = await engine.close();
    rmSync(outside, { recursive: true, force: true });
    assert.deepEqual(left, [], 'nothing is left behind');
  });

  test('row 1: entries of a layer that leave the root stay inside or are refused', async () => {
    const entries: TarEntry[] = [
      { name: 'way', type: '2', link: outside },
      { name: 'way/escaped', content: 'x' },
      { name: `../../../../../../..${canary}`, content: 'dead' },
      { name: 'grip', type: '1', link: `../../../../../../..${canary}` },
    ];
    for (const [at, entry] of entries.entries()) {
      const list = at === 1 ? entries.slice(0, 2) : [entry];
      if ((await loadEvilImage(engine, 'row1', { entries: list })) === 0) await run('row1', 'true');
      unharmed();
    }
  });

  test('row 2: a symlink of the image as mount target stays in the container', async () => {
    const source = mkdtempSync('/tmp/pinnace-source-');
    try {
      writeFileSync(join(source, 'mine'), 'mine');
      await evil('row2', [
        { name: 'data', type: '2', link: `../../../../../../..${outside}` },
        { name: 'file', type: '2', link: canary },
      ]);
      await run('-v', `${source}:/data/made`, '-v', `${source}/mine:/file`, 'row2', 'ls', '/data');
      await run('-v', `${source}:/data`, 'row2', 'sh', '-c', 'echo x > /data/escaped');
      unharmed();
    } finally {
      rmSync(source, { recursive: true });
    }
  });

  test('row 3: an exec shows the container no descriptor and no folder of the host', async () => {
    const look =
      'while :; do ls -ld /proc/[0-9]*/exe /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd/*; done 2>/dev/null';
    await docker(
      'run',
      '-d',
      '--name',
      'row3',
      '--cap-add',
      'SYS_PTRACE',
      'busybox',
      'sh',
      '-c',
      look,
    );
    for (let round = 0; round < 20; round++) await docker('exec', 'row3', 'true');
    const seen = await docker('logs', 'row3');
    await docker('rm', '-f', 'row3');
    assert.ok(seen.includes('/bin/busybox'), 'the watcher saw something');
    const foreign = seen
      .split('\n')
      .filter((line) => /pinnace|engine\.sock|shim|\/data\/|state\.db|overlay/.test(line));
    assert.deepEqual([...new Set(foreign)], []);
  });

  test('row 4: docker cp that races a swapped symlink reads and writes only the container', async () => {
    const swap = `mkdir -p /w/d && echo own > /w/d/canary && ln -s ${outside} /w/l && while :; do mv /w/d /w/t; mv /w/l /w/d; mv /w/d /w/l; mv /w/t /w/d; done`;
    await docker('run', '-d', '--name', 'row4', 'busybox', 'sh', '-c', swap);
    const input = tar([{ name: 'canary', content: 'dead' }]);
    let own = 0;
    // A copy asks twice, so it meets the folder only when both questions do.
    for (let round = 0; round < 25 || (own === 0 && round < 1000); round++) {
      await engine.tryDocker(['cp', '-', 'row4:/w/d'], { input });
      const read = await engine.tryDocker(['cp', 'row4:/w/d/canary', '-']);
      if (read.stdout.includes('dead') || read.stdout.includes('own')) own += 1;
      assert.ok(!read.stdout.includes('alive'), 'the content of the host');
    }
    await docker('rm', '-f', 'row4');
    assert.ok(own > 0, 'some copies met the folder');
    unharmed();
  });

  test('row 5: the runtime cannot be rewritten through /proc/self/exe', async () => {
    await evil('row5', [
      { name: 'again', content: '#!/proc/self/exe\n', mode: 0o755 },
      {
        name: 'write',
        content: '#!/bin/sh\nfor p in /proc/[0-9]*/exe /proc/self/exe; do echo dead > $p; done\n',
        mode: 0o755,
      },
    ]);
    for (const words of [['/proc/self/exe'], ['/again'], ['/write']]) await run('row5', ...words);
    await docker('run', '-d', '--name', 'row5', 'row5', 'sh', '-c', 'while :; do /write; done');
    for (const word of ['/proc/self/exe', '/again', 'true', '/write'])
      await engine.tryDocker(['exec', 'row5', word]);
    await docker('rm', '-f', 'row5');
    unharmed();
  });

  test('row 6: cp, build and commit of an image run nothing that lies in it', async () => {
    const trap = (name: string): TarEntry => ({
      name,
      content: '#!/bin/sh\necho ran > /ran\n',
      mode: 0o755,
    });
    const names = ['tar', 'gzip', 'zstd', 'unpigz', 'xz', 'docker-untar', 'chown', 'mkdir'];
    await evil('row6', [
      ...names.flatMap((name) => [trap(`usr/bin/${name}`), trap(`sbin/${name}`)]),
      { name: 'lib/x86_64-linux-gnu/libnss_files.so.2', content: 'no library', mode: 0o755 },
      { name: 'etc/ld.so.preload', content: '/lib/evil.so\n' },
    ]);
    await docker('create', '--name', 'row6', 'row6');
    const input = tar([{ name: 'file', content: 'x' }]);
    assert.equal((await engine.tryDocker(['cp', '-', 'row6:/'], { input })).status, 0);
    assert.equal((await engine.tryDocker(['cp', 'row6:/etc', '-'])).status, 0);
    const changes = await docker('diff', 'row6');
    assert.ok(!changes.includes('/ran'), changes);
    await docker('rm', 'row6');
    const context = tar([
      { name: 'Dockerfile', content: 'FROM row6\nADD a.tar /srv/\nCOPY --chown=root a.tar /x/\n' },
      { name: 'a.tar', content: input },
    ]);
    await engine.tryDocker(['build', '-q', '-t', 'row6b', '-'], { input: context });
    assert.equal((await run('row6b', '/bin/busybox', 'test', '-e', '/ran')).status, 1);
  });

  test('row 7: /proc and /sys of the image as symlinks give no way around the masks', async () => {
    for (const [name, link] of [
      ['proc', '/etc'],
      ['sys', '/etc'],
      ['proc', `../../../../..${outside}`],
      ['sys', `../../../../..${outside}`],
    ] as const) {
      await evil('row7', [{ name, type: '2', link }]);
      const got = await run(
        'row7',
        'sh',
        '-c',
        'cat /proc/kcore | head -c 1; echo x > /proc/sysrq-trigger; echo x > /proc/sys/kernel/core_pattern',
      );
      assert.ok(got.status !== 0 || got.stdout === '', `${name}: ${got.stdout}`);
      unharmed();
    }
  });

  test('row 8: no socket of ours has an abstract name; all lie in folders of the user alone', async () => {
    const list = await run('--network', 'host', 'busybox', 'cat', '/proc/net/unix');
    const abstract = list.stdout
      .split('\n')
      .filter((line) => / @.*(pinnace|shim|engine)/.test(line));
    assert.deepEqual(abstract, []);
    const id = await docker('run', '-d', '--name', 'row8', 'busybox', 'sleep', '50');
    const dir = join(engine.runRoot, 'shims', id.slice(0, 16));
    assert.equal(statSync(join(dir, 'shim.sock')).mode & 0o777, 0o600);
    for (const path of [engine.runRoot, engine.dataRoot])
      assert.equal(statSync(path).mode & 0o077, 0, path);
    await docker('rm', '-f', 'row8');
  });

  test('row 9: a mount target exchanged for a symlink while mounting makes nothing on the host', async () => {
    const source = mkdtempSync('/tmp/pinnace-source-');
    try {
      await docker('volume', 'create', 'row9');
      const swap = `mkdir -p /v/d && ln -s ../../../../../../..${outside} /v/l; while :; do mv /v/d /v/t; mv /v/l /v/d; mv /v/d /v/l; mv /v/t /v/d; done`;
      await docker('run', '-d', '--name', 'row9', '-v', 'row9:/v', 'busybox', 'sh', '-c', swap);
      const outcomes = new Set<string>();
      for (let round = 0; round < 20 || (!outcomes.has('ran') && round < 500); round++) {
        const got = await run(
          '-v',
          'row9:/v',
          '-v',
          `${source}:/v/d/deep`,
          'busybox',
          'cat',
          '/v/d/canary',
        );
        outcomes.add(got.status === 125 ? 'refused' : 'ran');
        assert.ok(!got.stdout.includes('alive'));
        assert.deepEqual(readdirSync(outside), ['canary']);
      }
      assert.ok(outcomes.has('ran'), 'some starts met the folder');
      await docker('rm', '-f', 'row9');
      await docker('volume', 'rm', 'row9');
    } finally {
      rmSync(source, { recursive: true });
    }
    unharmed();
  });

  test('row 10: a container cannot write or mount a release_agent', async () => {
    const script =
      'mkdir /c; for t in cgroup cgroup2; do mount -t $t -o rdma x /c && echo mounted; mount -t $t x /c && echo mounted; done; find /sys/fs/cgroup -name release_agent | while read f; do echo x > $f && echo written; done; unshare -UrmC true && echo unshared; echo tried';
    const got = await run('busybox', 'sh', '-c', script);
    assert.equal(got.stdout, 'tried\n');
  });

  test('row 11: fsopen and the other mount calls are refused', async () => {
    const image = 'debian:bookworm-slim';
    assert.equal((await run(image, ...syscall(430, 430, '$s, 0'))).stdout, '1', 'fsopen');
    assert.equal(
      (await run(image, ...syscall(429, 429, '-1, $e, -1, $e, 0'))).stdout,
      '1',
      'move_mount',
    );
    assert.equal((await run(image, ...syscall(165, 40, '$s, $d, $s, 0, 0'))).stdout, '1', 'mount');
    assert.equal((await run(image, ...syscall(272, 97, '0x10000000'))).stdout, '1', 'unshare');
    assert.equal((await run(image, ...syscall(425, 425, '1, $e'))).stdout, '1', 'io_uring_setup');
  });

  test('row 13: no process has inheritable or ambient capabilities that it was not given', async () => {
    const caps = 'grep -E "Cap(Inh|Amb)" /proc/self/status | tr -d "\\n\\t"';
    const none = 'CapInh:0000000000000000CapAmb:0000000000000000';
    for (const options of [[], ['--user', '1000'], ['--cap-add', 'SYS_TIME'], ['--privileged']])
      assert.equal(
        (await run(...options, 'busybox', 'sh', '-c', caps)).stdout,
        none,
        options.join(' '),
      );
    await docker('run', '-d', '--name', 'row13', 'busybox', 'sleep', '50');
    for (const options of [[], ['--user', '1000'], ['--privileged']])
      assert.equal(await docker('exec', ...options, 'row13', 'sh', '-c', caps), none);
    await docker('rm', '-f', 'row13');
  });

  test('row 14: /sys/fs/cgroup cannot be written', async () => {
    const script =
      'for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $d/made && echo $d; done 2>/dev/null; for f in $(find /sys/fs/cgroup -name cgroup.procs); do echo 1 > $f && echo $f; done 2>/dev/null; echo tried';
    const got = await run('busybox', 'sh', '-c', script);
    assert.equal(got.stdout, 'tried\n');
  });

  test('row 15: no descriptor of the host is left, and no working directory reaches one', async () => {
    const list = await run('debian:bookworm-slim', 'sh', '-c', 'ls /proc/self/fd | tr "\\n" " "');
    assert.equal(list.stdout, '0 1 2 3 ', 'and the folder that ls reads');
    await docker('run', '-d', '--name', 'row15', 'busybox', 'sleep', '100');
    const reach = `cat canary ../canary ../../../../../../../..${canary}`;
    for (let fd = 3; fd < 16; fd++) {
      const cwd = `/proc/self/fd/${String(fd)}`;
      const started = await run('-w', cwd, 'busybox', 'sh', '-c', reach);
      const joined = await engine.tryDocker(['exec', '-w', cwd, 'row15', 'sh', '-c', reach]);
      for (const got of [started, joined]) assert.doesNotMatch(got.stdout, /alive/, cwd);
    }
    await docker('rm', '-f', 'row15');
    unharmed();
  });

  test('row 20: a masked path or /dev/null made a symlink leaves procfs masked', async () => {
    const source = mkdtempSync('/tmp/pinnace-source-');
    const dev = join(source, 'dev');
    mkdirSync(dev);
    try {
      await evil('row20', [
        { name: 'dev/', type: '5' },
        { name: 'dev/null', type: '2', link: '/proc/sys/kernel/core_pattern' },
      ]);
      const attack =
        'head -c 1 /proc/kcore; head -c 1 /proc/keys; echo dead > /dev/null; echo x > /proc/sysrq-trigger; ls -l /dev/null | cut -c1';
      const got = await run('row20', 'sh', '-c', attack);
      assert.ok(got.status !== 0 || got.stdout === 'c\n', got.stdout);
      const link = `rm -f /d/null; ln -s /proc/sys/kernel/core_pattern /d/null`;
      await run('-v', `${dev}:/d`, 'busybox', 'sh', '-c', link);
      const bound = await run(
        '-v',
        `${dev}:/dev`,
        'busybox',
        'sh',
        '-c',
        'head -c 1 /proc/kcore; echo dead > /dev/null',
      );
      assert.equal(bound.stdout, '');
      unharmed();
    } finally {
      rmSync(source, { recursive: true });
    }
  });

  test('row 21: a symlink where the terminal is bound gets nothing', async () => {
    await evil('row21', [
      { name: 'dev/', type: '5' },
      { name: 'dev/console', type: '2', link: '/proc/sysrq-trigger' },
      { name: 'dev/pts', type: '2', link: `../../../../../..${outside}` },
      { name: 'dev/ptmx', type: '2', link: canary },
    ]);
    const id = await docker(
      'create',
      '-t',
      'row21',
      'sh',
      '-c',
      'ls -l /dev/console; echo dead > /dev/console',
    );
    await engine.tryDocker(['start', '-a', id], { timeout: 60_000 });
    await docker('rm', '-f', id);
    unharmed();
  });

  test('row 22: nothing may be mounted over /proc, so that no write there is redirected', async () => {
    await docker('volume', 'create', 'row22');
    for (const target of ['/proc', '/proc/self', '/proc/sys/net', '/proc/self/attr']) {
      const got = await run(
        '-v',
        `row22:${target}`,
        '--sysctl',
        'net.ipv4.ip_forward=1',
        'busybox',
        'true',
      );
      assert.notEqual(got.status, 0, target);
      assert.match(got.stderr, /proc/, target);
    }
    await docker('volume', 'rm', 'row22');
    unharmed();
  });

  test('row 23: /dev of the image as a symlink makes no devices elsewhere', async () => {
    for (const link of [outside, `../../../../../..${outside}`, '/proc/self/fd']) {
      await evil('row23', [{ name: 'dev', type: '2', link }]);
      const got = await run('row23', 'sh', '-c', 'ls /dev/null');
      assert.ok(got.status !== 0 || got.stdout === '/dev/null\n');
      unharmed();
    }
  });

  test(
    'row 26: hostile users never become root, hang or fill the memory',
    { timeout: 240_000 },
    async () => {
      for (const user of [
        '4294967296',
        '4294967295',
        '-1',
        '2147483648:0x0',
        '18446744073709551616',
      ]) {
        const got = await run('--user', user, 'busybox', 'id', '-u');
        assert.ok(got.status !== 0 || got.stdout !== '0\n', `${user} became root`);
      }
      const big = Buffer.alloc(64 * 2 ** 20, 'a');
      const files: TarEntry[] = [
        { name: 'etc/passwd', content: big },
        { name: 'etc/passwd', content: Buffer.alloc(64 * 2 ** 20, 'a:x:0:0\n') },
        { name: 'etc/passwd', type: '6' },
        { name: 'etc/passwd', type: '2', link: '/dev/zero' },
        { name: 'etc/passwd', type: '2', link: canary },
        { name: 'etc/passwd', content: 'user:x:0\nuser\n::::\nuser:x:99999999999:0:::\n' },
      ];
      for (const [at, file] of files.entries()) {
        await evil('row26', [file]);
        const got = await run('--user', 'user', 'row26', 'id', '-u');
        assert.notEqual(got.status, 124, `case ${String(at)} hangs`);
        assert.notEqual(got.status, 0, `case ${String(at)}: ${got.stdout}`);
        assert.match(got.stderr, /user|passwd/);
      }
      const pid = await engine.pid();
      const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
      assert.ok(Number(peak?.[1]) < 400_000, String(peak?.[1]));
      unharmed();
    },
  );

  test('row 27: AF_ALG and AF_VSOCK sockets are refused', async () => {
    for (const family of [38, 40]) {
      const got = await run('debian:bookworm-slim', ...syscall(41, 198, `${String(family)}, 5, 0`));
      assert.ok(
        ['1', '97'].includes(got.stdout),
        `errno ${got.stdout} for family ${String(family)}`,
      );
    }
  });

  test('all of it left no process, no mount and no file', async () => {
    assert.equal(await docker('ps', '-aq'), '');
    assert.deepEqual(globSync('/tmp/pinnace-escaped*'), []);
    assert.equal(existsSync(join(outside, 'escaped')), false);
    unharmed();
  });
}
