/** The same bundles on our binary and on crun: what a program inside can see must be equal. */

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUNTIMES, Rig } from './rig.ts';

const rig = new Rig();
after(() => rig.close());

test('ids, host name, working directory, umask and environment are the same', () => {
  const seen = rig.same(
    'id; hostname; pwd; umask; env | sort; cat /proc/self/oom_score_adj',
    (config) => {
      config.process['user'] = { uid: 1000, gid: 1001, additionalGids: [29, 5], umask: 0o27 };
      config.process['cwd'] = '/tmp';
      config.process['env'] = ['PATH=/bin', 'A=b=c', 'EMPTY='];
      config.process['oomScoreAdj'] = 321;
    },
  );
  assert.match(
    seen,
    /uid=1000\(node\) gid=1001\(node\) groups=5.*29\(audio\).*\ncontract\n\/tmp\n0027\n/,
  );
  assert.match(seen, /HOME=\/home\/node\n/);
  assert.match(seen, /\n321\n$/);
});

test('a working directory that is missing is made', () => {
  assert.match(
    rig.same('pwd; stat -c "%a %u" /made/here', (config) => {
      config.process['cwd'] = '/made/here';
    }),
    /^\/made\/here\n755 0\n$/,
  );
});

const STATUS = 'grep -E "^(Cap|NoNewPrivs|Seccomp:)" /proc/self/status';

test('the five capability sets are the same for root, for a user and with ambient ones', () => {
  const seen = rig.same(STATUS);
  assert.match(seen, /CapInh:\s0+\nCapPrm:\s00000000a80425fb\nCapEff:\s00000000a80425fb\n/);
  rig.same(STATUS, (config) => {
    config.process['user'] = { uid: 1000, gid: 1000 };
  });
  const ambient = rig.same(STATUS, (config) => {
    const all = ['CAP_NET_BIND_SERVICE', 'CAP_KILL'];
    config.process['user'] = { uid: 1000, gid: 1000 };
    config.process['capabilities'] = {
      bounding: all,
      effective: all,
      permitted: all,
      inheritable: all,
      ambient: all,
    };
  });
  assert.match(ambient, /CapAmb:\s0000000000000420/);
});

test('no_new_privs and seccomp are on when asked', () => {
  const seen = rig.same(STATUS, (config) => {
    config.process['noNewPrivileges'] = true;
    config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [] };
  });
  assert.match(seen, /NoNewPrivs:\s1\nSeccomp:\s2/);
});

test('seccomp rules answer per rule, with arguments and errnos', () => {
  const seen = rig.same(
    'mkdir /tmp/x; echo $?; sync; echo $?; chmod 4755 /bin/sh; echo $?; chmod 755 /bin/sh; echo $?',
    (config) => {
      config.linux['seccomp'] = {
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
        syscalls: [
          { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 28 },
          {
            names: ['chmod'],
            action: 'SCMP_ACT_ERRNO',
            errnoRet: 13,
            args: [{ index: 1, value: 0o4000, valueTwo: 0o4000, op: 'SCMP_CMP_MASKED_EQ' }],
          },
          {
            names: ['fchmodat'],
            action: 'SCMP_ACT_ERRNO',
            errnoRet: 13,
            args: [{ index: 2, value: 0o4000, valueTwo: 0o4000, op: 'SCMP_CMP_MASKED_EQ' }],
          },
        ],
      };
    },
  );
  assert.equal(seen, '1\n0\n1\n0\n');
});

test('resource limits and sysctls are the same', () => {
  const seen = rig.same(
    'grep -E "open files|core file|stack" /proc/self/limits; cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/domainname',
    (config) => {
      config.process['rlimits'] = [
        { type: 'RLIMIT_NOFILE', soft: 512, hard: 1024 },
        { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
      ];
      config.linux['sysctl'] = { 'kernel.msgmax': '4096', 'net.ipv4.ip_forward': '1' };
    },
  );
  assert.match(seen, /Max open files\s+512\s+1024[^]*\n4096\n1\n/);
});

/** Mount point, file system and options without what differs by nature (ids, sizes of the host). */
const MOUNTS =
  "cut -d' ' -f5- /proc/self/mountinfo | grep -vE '^/(proc|sys)/|^/dev/(null|zero|full|random|urandom|tty) |^/sys/fs/cgroup' | sed -E 's/ (shared|master):[0-9]+//g; s/ - / /' | sort";

test('the table of mounts is the same', () => {
  const seen = rig.same(MOUNTS);
  assert.match(seen, /^\/sys ro,nosuid,nodev,noexec/m);
  assert.match(seen, /^\/dev\/shm rw,nosuid,nodev,noexec/m);
});

test('a read-only root is read-only and its mounts are not', () => {
  const seen = rig.same(
    'touch /x 2>&1; touch /tmp/x && echo wrote; touch /dev/shm/y && echo wrote',
    (config) => {
      config.root['root'] = { path: rig.rootfs, readonly: true };
      config.mounts.push({
        destination: '/tmp',
        type: 'tmpfs',
        source: 'tmpfs',
        options: ['size=1m', 'mode=1777', 'nosuid'],
      });
    },
  );
  assert.match(seen, /Read-only file system\nwrote\nwrote\n/);
});

test('bind mounts are read-write, read-only, of files and through links of the image', () => {
  const folder = rig.fresh('bound');
  mkdirSync(folder);
  writeFileSync(join(folder, 'file'), 'bound\n');
  const root = rig.makeRootfs(`links-${process.pid}`);
  mkdirSync(join(root, 'real'));
  symlinkSync('/real', join(root, 'link'));
  symlinkSync('../../../../../../../real/dangling', join(root, 'dangle'));
  const seen = rig.same(
    'cat /real/sub/file /new/file /etc/one /real/dangling/file; touch /new/a 2>&1; touch /real/sub/b && echo wrote; ls /real',
    (config) => {
      config.root['root'] = { path: root, readonly: false };
      const bind = (source: string, destination: string, ...options: string[]) =>
        config.mounts.push({ destination, type: 'bind', source, options: ['rbind', ...options] });
      bind(folder, '/link/sub', 'rw');
      bind(folder, '/new', 'ro');
      bind(join(folder, 'file'), '/etc/one', 'ro');
      bind(folder, '/dangle', 'rprivate');
    },
  );
  assert.match(
    seen,
    /^bound\nbound\nbound\nbound\n.*Read-only file system\nwrote\ndangling\nsub\n$/,
  );
});

test('devices, links in /dev and modes are the same', () => {
  const seen = rig.same(
    'cd /dev; for f in *; do stat -c "%N %F %a %t:%T %u:%g" $f; done; echo x >/dev/null && head -c 4 /dev/zero | wc -c',
    (config) => {
      config.linux['devices'] = [
        { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o600, uid: 0, gid: 5 },
      ];
    },
  );
  assert.match(seen, /fuse character special file 600 a:e5 0:5/);
  assert.match(seen, /null character special file 666 1:3 0:0/);
  assert.match(seen, /\n4\n$/);
});

test('masked paths are empty and read-only paths refuse writes', () => {
  const seen = rig.same(
    'wc -c </proc/keys; wc -c </proc/timer_list; ls /sys/firmware | wc -l; echo 1 2>&1 >/proc/sys/kernel/msgmax; touch /proc/bus/x 2>&1; ls /proc/acpi | wc -l',
  );
  assert.match(seen, /^0\n0\n0\n/);
  assert.match(seen, /Read-only file system/);
});

test('the cgroup is read-only and the container sees itself at its root', () => {
  const seen = rig.same(
    'grep -vE "hugetlb|systemd|^0::" /proc/self/cgroup | cut -d: -f2- | sort; mkdir /sys/fs/cgroup/memory/x 2>&1; true',
  );
  assert.match(seen, /^memory:\/$/m);
  assert.match(seen, /Read-only file system/);
});

test('nothing of the caller is left open, and --preserve-fds keeps what is asked', () => {
  const bundle = rig.bundle('ls /proc/self/fd | wc -l; cat <&3; cat <&4 2>&1');
  const file = rig.fresh('kept');
  writeFileSync(file, 'kept\n');
  for (const runtime of RUNTIMES) {
    const command = rig.command(runtime, [
      'run',
      '--preserve-fds',
      '1',
      '--bundle',
      bundle,
      rig.id(),
    ]);
    const ran = rig.exec(['sh', '-c', 'exec "$@" 3<"$0" 4<"$0" 7<"$0"', file, ...command]);
    assert.match(ran.stdout, /^5\nkept\n/, runtime);
    assert.doesNotMatch(ran.stdout, /kept\n[^]*kept/, runtime);
  }
});

test('exit codes and deaths by signal are the same', () => {
  for (const [script, status] of [
    ['exit 0', 0],
    ['exit 42', 42],
    ['kill -TERM 1; sleep 0.05; exit 3', 3],
  ] as const) {
    const bundle = rig.bundle(script);
    for (const runtime of RUNTIMES)
      assert.equal(rig.runBundle(runtime, bundle).status, status, runtime);
  }
});

test('standard input reaches the program and its end is seen', () => {
  const bundle = rig.bundle('cat; echo end');
  for (const runtime of RUNTIMES)
    assert.equal(rig.runBundle(runtime, bundle, 'in\n').stdout, 'in\nend\n', runtime);
});

test('a pty has the size of the bundle, is /dev/console and the controlling terminal', () => {
  const bundle = rig.bundle(
    'stty size; tty; stat -c "%F %t:%T %u %a" /dev/console; echo ok >/dev/tty; stat -c %u $(tty)',
    (config) => {
      config.process['terminal'] = true;
      config.process['consoleSize'] = { height: 17, width: 93 };
      config.process['user'] = { uid: 1000, gid: 1000 };
    },
  );
  const [ours, theirs] = RUNTIMES.map((runtime) => {
    const command = rig.command(runtime, ['run', '--bundle', bundle, rig.id()]);
    // An input that stays open: script would type its end into the terminal.
    const line = `sleep 1 | script -qec ${quote(command.map(quote).join(' '))} /dev/null`;
    return rig.exec(['sh', '-c', line]).stdout;
  });
  assert.match(
    ours ?? '',
    /^17 93\r\n\/dev\/pts\/0\r\ncharacter special file 88:0 1000 620\r\nok\r\n1000\r\n/,
  );
  assert.equal(ours, theirs);
});

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

test('limits of memory, processes and cpu are written and read back', () => {
  const read = [
    'memory/memory.limit_in_bytes',
    'pids/pids.max',
    'cpu/cpu.cfs_quota_us',
    'cpu/cpu.shares',
  ];
  const seen = rig.same(
    `cd /sys/fs/cgroup; cat ${read.join(' ')} cpuset/cpuset.cpus; dd if=/dev/zero of=/dev/null bs=40M count=1 2>/dev/null || echo killed`,
    (config) => {
      config.linux['resources'] = {
        memory: { limit: 16 * 1024 * 1024 },
        pids: { limit: 20 },
        cpu: { quota: 50_000, period: 100_000, shares: 512, cpus: '0' },
      };
    },
  );
  assert.match(seen, /^16777216\n20\n50000\n512\n0\nkilled\n$/);
});

test('hooks run in the order of the specification with the state on standard input', () => {
  const log = rig.fresh('hooks');
  const hook = (
    name: string,
    container = false,
  ): { path: string; args: string[]; env: string[] } => ({
    path: container ? '/bin/sh' : '/bin/sh',
    args: [
      'sh',
      '-c',
      `grep -o '"status": *"[a-z]*"' | tr -d ' ' | sed "s/^/${name} /" >>${container ? '/log/log' : join(log, 'log')}`,
    ],
    env: ['PATH=/usr/bin:/bin'],
  });
  const seen = RUNTIMES.map((runtime) => {
    mkdirSync(log, { recursive: true });
    writeFileSync(join(log, 'log'), '');
    const bundle = rig.bundle('echo program >>/log/log; sleep 0.2; cat /log/log', (config) => {
      config.mounts.push({ destination: '/log', type: 'bind', source: log, options: ['bind'] });
      config.root['hooks'] = {
        prestart: [hook('prestart')],
        createRuntime: [hook('createRuntime')],
        createContainer: [hook('createContainer')],
        startContainer: [hook('startContainer', true)],
        poststart: [hook('poststart')],
        poststop: [hook('poststop')],
      };
    });
    const ran = rig.runBundle(runtime, bundle);
    assert.equal(ran.status, 0, ran.stderr);
    return ran.stdout
      .split('\n')
      .filter((line) => !line.startsWith('poststart') && line !== 'program');
  });
  const order = seen[0]?.map((line) => line.split(' ')[0]);
  assert.deepEqual(order, ['prestart', 'createRuntime', 'createContainer', 'startContainer', '']);
  assert.deepEqual(
    order,
    seen[1]?.map((line) => line.split(' ')[0]),
  );
});
