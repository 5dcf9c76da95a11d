/** Bundles that mean harm or are broken: one error that says what is wrong, and nothing left; and what a container may not reach. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Rig } from './rig.ts';
import type { Config, JsonObject } from './rig.ts';

const rig = new Rig();
after(() => rig.close());

/** Runs a bundle that must fail; gives the one error line. */
function refused(bundle: string): string {
  const before = rig.traces();
  const ran = rig.runBundle('ours', bundle);
  assert.equal(ran.status, 1, ran.stdout);
  assert.equal(ran.stdout, '');
  assert.equal(ran.stderr.trimEnd().split('\n').length, 1, ran.stderr);
  assert.equal(rig.traces(), before);
  return ran.stderr;
}

function raw(text: string): string {
  const bundle = rig.fresh('raw');
  mkdirSync(bundle);
  writeFileSync(join(bundle, 'config.json'), text);
  return bundle;
}

test('a config.json that is missing, truncated or of the wrong types is one error', () => {
  const empty = rig.fresh('empty');
  mkdirSync(empty);
  assert.match(refused(empty), /config\.json/);
  const whole = readFileSync(join(rig.bundle('true'), 'config.json'), 'utf8');
  for (const part of [0, 1, 0.25, 0.5, 0.9].map((share) =>
    whole.slice(0, whole.length * share - 1),
  ))
    assert.match(refused(raw(part)), /not a valid OCI config/);
  const bad: ((config: Config) => void)[] = [
    (config) => (config.process['args'] = 'true'),
    (config) => (config.process['user'] = 'root'),
    (config) => (config.process['user'] = { uid: -1, gid: 0 }),
    (config) => (config.linux['namespaces'] = [{ type: 'galaxy' }]),
    (config) => (config.root['mounts'] = {}),
    (config) => (config.root['ociVersion'] = 7),
  ];
  for (const change of bad)
    assert.match(refused(rig.bundle('true', change)), /not a valid OCI config/);
});

test('what cannot be made is refused and named', () => {
  const cases: [RegExp, (config: Config) => void][] = [
    [
      /cannot open the container's root file system.*missing/,
      (config) => (config.root['root'] = { path: '/missing' }),
    ],
    [/process\.args is empty/, (config) => (config.process['args'] = [])],
    [/must be an absolute path/, (config) => (config.process['cwd'] = 'tmp')],
    [
      /"CAP_ROOT" is not a capability/,
      (config) => (config.process['capabilities'] = { bounding: ['CAP_ROOT'] }),
    ],
    [
      /not a resource limit/,
      (config) => (config.process['rlimits'] = [{ type: 'X', soft: 1, hard: 1 }]),
    ],
    [
      /would change the host/,
      (config) => (config.linux['sysctl'] = { 'kernel.core_pattern': '|/x' }),
    ],
    [
      /Pid twice/,
      (config) =>
        (config.linux['namespaces'] = [{ type: 'pid' }, { type: 'pid' }, { type: 'mount' }]),
    ],
    [/mount name space/, (config) => (config.linux['namespaces'] = [{ type: 'pid' }])],
    [/not an action/, (config) => (config.linux['seccomp'] = { defaultAction: 'SCMP_ACT_PARTY' })],
    [/cgroupsPath/, (config) => (config.linux['cgroupsPath'] = '/../../x')],
    [
      /cannot bind the source.*nowhere/,
      (config) =>
        config.mounts.push({
          destination: '/x',
          type: 'bind',
          source: '/nowhere',
          options: ['bind'],
        }),
    ],
    [
      /no such file system|this kernel has no/i,
      (config) => config.mounts.push({ destination: '/x', type: 'nofs', source: 'x', options: [] }),
    ],
    [
      /does not take the option/,
      (config) =>
        config.mounts.push({ destination: '/x', type: 'tmpfs', source: 'x', options: ['sise=1'] }),
    ],
    [
      /unable to find user/,
      (config) => (config.process['user'] = { uid: 0, gid: 0, username: 'eve' }),
    ],
    [/prestart hook/, (config) => (config.root['hooks'] = { prestart: [{ path: '/bin/false' }] })],
    [
      /createContainer hook.*no end within/,
      (config) =>
        (config.root['hooks'] = {
          createContainer: [{ path: '/bin/sleep', args: ['sleep', '9'], timeout: 1 }],
        }),
    ],
  ];
  for (const [message, change] of cases) assert.match(refused(rig.bundle('true', change)), message);
  for (const id of ['', '..', 'a/b', 'x'.repeat(1025)])
    assert.equal(rig.run('ours', ['run', '--bundle', rig.bundle('true'), id]).status, 1);
});

function inDev(mount: JsonObject): boolean {
  const destination = mount['destination'];
  return typeof destination === 'string' && destination.startsWith('/dev');
}

/** A root file system of its own, changed. */
function rootfs(change: (root: string) => void): (config: Config) => void {
  const root = rig.makeRootfs(`hostile-${rig.id()}`);
  change(root);
  return (config) => {
    config.root['root'] = { path: root, readonly: false };
  };
}

test('/proc, /sys and /dev that are symlinks in the image are refused', () => {
  for (const [name, target] of [
    ['proc', '/tmp'],
    ['sys', 'tmp'],
    ['dev', '/etc'],
  ] as const) {
    const change = rootfs((root) => {
      rmSync(join(root, name), { recursive: true });
      symlinkSync(target, join(root, name));
    });
    const only = (config: Config) => {
      change(config);
      // Without the mounts beneath, only the link itself is met.
      config.mounts.splice(
        0,
        config.mounts.length,
        ...config.mounts.filter(
          (mount) => mount['type'] !== 'cgroup' && (name !== 'dev' || !inDev(mount)),
        ),
      );
    };
    assert.match(refused(rig.bundle('true', only)), /ordinary directory|symbolic link/);
  }
});

test('mount destinations through symlinks stay beneath the root', () => {
  const outside = rig.fresh('outside');
  mkdirSync(outside);
  const source = rig.fresh('source');
  mkdirSync(source);
  const change = rootfs((root) => {
    symlinkSync(outside, join(root, 'absolute'));
    symlinkSync(`../../../../../../../../..${outside}`, join(root, 'climbing'));
  });
  const ran = rig.runBundle(
    'ours',
    rig.bundle(`ls ${outside}`, (config) => {
      change(config);
      config.mounts.push({ destination: '/absolute/a', type: 'bind', source, options: ['bind'] });
      config.mounts.push({
        destination: '/climbing/b',
        type: 'tmpfs',
        source: 'tmpfs',
        options: [],
      });
      config.mounts.push({
        destination: '/../../../c',
        type: 'tmpfs',
        source: 'tmpfs',
        options: [],
      });
    }),
  );
  assert.equal(ran.status, 0, ran.stderr);
  assert.equal(ran.stdout, 'a\nb\n');
  assert.deepEqual(readdirSync(outside), []);
});

test('a masked path that the image replaces by a link is refused', () => {
  const volume = rig.fresh('fakesys');
  mkdirSync(volume);
  symlinkSync('/proc/sys/kernel/core_pattern', join(volume, 'firmware'));
  const error = refused(
    rig.bundle('true', (config) => {
      config.mounts.push({ destination: '/sys', type: 'bind', source: volume, options: ['bind'] });
    }),
  );
  assert.match(error, /\/sys\/firmware/);
});

test('nothing but procfs covers /proc or a part of it', () => {
  const volume = rig.fresh('overproc');
  mkdirSync(volume);
  for (const destination of ['/proc', '/proc/sys/net', '/proc/self', '/x/../proc/fs']) {
    const error = refused(
      rig.bundle('true', (config) => {
        config.mounts.push({ destination, type: 'bind', source: volume, options: ['bind'] });
      }),
    );
    assert.match(error, /proc/);
  }
});

test('something else where a device must be is refused', () => {
  const change = rootfs((root) => {
    writeFileSync(join(root, 'dev/null'), '');
  });
  const error = refused(
    rig.bundle('true', (config) => {
      change(config);
      config.mounts.splice(
        0,
        config.mounts.length,
        ...config.mounts.filter((mount) => !inDev(mount)),
      );
    }),
  );
  assert.match(error, /something else where a device must be/);
});

test('a working directory of the host is out of reach', () => {
  for (const cwd of ['/proc/self/fd/7', '/proc/self/fd/8/../../etc', '/proc/1/fd/6']) {
    const ran = rig.runBundle(
      'ours',
      rig.bundle('pwd; ls', (config) => {
        config.process['cwd'] = cwd;
      }),
    );
    assert.equal(ran.status, 1, ran.stdout);
    assert.equal(ran.stdout, '');
  }
});

test('the runtime’s own program cannot be written from inside', async () => {
  const binary = rig.command('ours', [])[0] ?? '';
  const before = readFileSync(binary);
  const id = rig.id();
  // busybox's own shells are running, so opening them answers ETXTBSY: only another program can open.
  const attack =
    'while :; do for p in /proc/[0-9]*; do ( : >>$p/exe ) 2>/dev/null && echo opened $p; done; done';
  const [program = '', ...args] = rig.command('ours', ['run', '--bundle', rig.bundle(attack), id]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await new Promise((resolve) => setTimeout(resolve, 300));
  for (let tries = 0; tries < 30; tries += 1)
    rig.run('ours', ['exec', id, '/proc/self/exe', 'init', '--', '/bin/sleep', '0.02']);
  rig.run('ours', ['delete', '--force', id]);
  await once(child, 'exit');
  assert.equal(output, '');
  assert.ok(before.equals(readFileSync(binary)));
});

test('the terminal needs a console socket when nobody stays', () => {
  const bundle = rig.bundle('true', (config) => {
    config.process['terminal'] = true;
  });
  const ran = rig.run('ours', ['create', '--bundle', bundle, rig.id()]);
  assert.match(
    ran.stderr,
    /^cannot allocate tty if the runtime will detach without setting console socket/,
  );
});
