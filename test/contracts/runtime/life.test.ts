/** The life of a container over several verbs, on our binary and on crun: create, start, state, exec, kill, pause, delete, ps, list. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { RUNTIMES, Rig } from './rig.ts';
import type { Config, Runtime } from './rig.ts';

const rig = new Rig();
after(() => rig.close());

interface State {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: string;
  readonly pid: number;
  readonly bundle: string;
  readonly annotations?: Record<string, string>;
}

/** A container made with `create`; its output goes to a file, as a manager would have it. */
class Made {
  readonly runtime: Runtime;
  readonly id: string;
  readonly log: string;
  readonly bundle: string;

  constructor(
    runtime: Runtime,
    script: string,
    change: (config: Config) => void = () => undefined,
  ) {
    this.runtime = runtime;
    this.id = rig.id();
    this.log = rig.fresh('log');
    this.bundle = rig.bundle(script, change);
    writeFileSync(this.log, '');
  }

  async create(...args: string[]): Promise<number | null> {
    const command = rig.command(this.runtime, [
      'create',
      '--bundle',
      this.bundle,
      ...args,
      this.id,
    ]);
    const child = spawn('sh', ['-c', 'exec "$@" >>"$0" 2>&1', this.log, ...command], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }

  verb(name: string, ...args: string[]): string {
    const ran = rig.run(this.runtime, [name, ...args]);
    assert.equal(ran.status, 0, `${this.runtime} ${name}: ${ran.stderr}`);
    return ran.stdout;
  }

  state(): State {
    return JSON.parse(this.verb('state', this.id)) as State;
  }

  async until(status: string): Promise<void> {
    for (let tries = 0; tries < 2000; tries += 1) {
      if (this.state().status === status) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.fail(`${this.runtime}: not ${status} but ${this.state().status}`);
  }

  output(): string {
    return readFileSync(this.log, 'utf8');
  }
}

for (const runtime of RUNTIMES) {
  test(`${runtime}: a container is created, started, ends and is deleted`, async () => {
    const made = new Made(runtime, 'echo started', (config) => {
      config.root['annotations'] = { 'a.b': 'c' };
    });
    const pidFile = rig.fresh('pid');
    assert.equal(await made.create('--pid-file', pidFile), 0, made.output());
    const created = made.state();
    assert.equal(created.status, 'created');
    assert.equal(created.id, made.id);
    assert.equal(created.bundle, made.bundle);
    assert.equal(String(created.pid), readFileSync(pidFile, 'utf8'));
    assert.deepEqual(created.annotations, { 'a.b': 'c' });
    assert.equal(made.output(), '');
    made.verb('start', made.id);
    await made.until('stopped');
    assert.equal(made.output(), 'started\n');
    assert.notEqual(rig.run(runtime, ['start', made.id]).status, 0, 'it starts only once');
    made.verb('delete', made.id);
    assert.notEqual(rig.run(runtime, ['state', made.id]).status, 0);
    assert.notEqual(rig.run(runtime, ['delete', made.id]).status, 0);
    assert.equal(rig.run(runtime, ['delete', '--force', made.id]).status, 0);
  });

  test(`${runtime}: signals reach the program and a running container is deleted only by force`, async () => {
    const made = new Made(runtime, 'trap "echo usr" USR1; echo up; while :; do sleep 0.05; done');
    assert.equal(await made.create(), 0, made.output());
    made.verb('start', made.id);
    while (!made.output().includes('up')) await new Promise((resolve) => setTimeout(resolve, 10));
    made.verb('kill', made.id, 'USR1');
    while (!made.output().includes('usr')) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.notEqual(rig.run(runtime, ['delete', made.id]).status, 0);
    made.verb('kill', made.id, 'KILL');
    await made.until('stopped');
    assert.notEqual(rig.run(runtime, ['kill', made.id, 'TERM']).status, 0);
    made.verb('delete', '--force', made.id);
  });

  test(`${runtime}: exec enters with its own user, directory, capabilities and exit code`, async () => {
    const made = new Made(runtime, 'sleep 30');
    assert.equal(await made.create(), 0, made.output());
    made.verb('start', made.id);
    const file = rig.fresh('process');
    writeFileSync(
      file,
      JSON.stringify({
        args: [
          '/bin/sh',
          '-c',
          'id; pwd; echo $A; grep CapEff /proc/self/status; ls /proc/self/fd | wc -l; ls -d /proc/[0-9]*; exit 9',
        ],
        cwd: '/tmp',
        env: ['PATH=/bin', 'A=1'],
        user: { uid: 1000, gid: 1001, additionalGids: [29] },
        capabilities: { bounding: [], effective: [], permitted: [] },
      }),
    );
    const ran = rig.run(runtime, ['exec', '--process', file, made.id]);
    assert.equal(ran.status, 9, ran.stderr);
    assert.match(
      ran.stdout,
      /^uid=1000\(node\) gid=1001\(node\) groups=29\(audio\).*\n\/tmp\n1\nCapEff:\s0{16}\n4\n\/proc\/1\n/,
    );
    assert.equal(rig.run(runtime, ['exec', made.id, '/bin/sh', '-c', 'exit 3']).status, 3);
    assert.notEqual(rig.run(runtime, ['exec', made.id, '/no/such']).status, 0);
    made.verb('delete', '--force', made.id);
    assert.notEqual(rig.run(runtime, ['exec', made.id, 'true']).status, 0);
  });

  test(`${runtime}: exec’d processes share the cgroup and every name space`, async () => {
    const made = new Made(runtime, 'sleep 30');
    assert.equal(await made.create(), 0, made.output());
    made.verb('start', made.id);
    const look =
      'for n in mnt uts ipc net pid cgroup; do readlink /proc/$1/ns/$n; done; cat /proc/$1/cgroup';
    const inside = rig.run(runtime, ['exec', made.id, '/bin/sh', '-c', look, 'sh', 'self']).stdout;
    const init = rig.run(runtime, ['exec', made.id, '/bin/sh', '-c', look, 'sh', '1']).stdout;
    assert.equal(inside, init);
    made.verb('delete', '--force', made.id);
  });

  test(`${runtime}: a paused container stands still and goes on`, async () => {
    const made = new Made(runtime, 'while :; do echo x; sleep 0.02; done');
    assert.equal(await made.create(), 0, made.output());
    made.verb('start', made.id);
    made.verb('pause', made.id);
    assert.equal(made.state().status, 'paused');
    const size = made.output().length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    assert.equal(made.output().length, size);
    made.verb('resume', made.id);
    assert.equal(made.state().status, 'running');
    made.verb('delete', '--force', made.id);
  });

  test(`${runtime}: a program that is not there fails at create, with 127's text`, async () => {
    const made = new Made(runtime, '', (config) => {
      config.process['args'] = ['nosuch'];
    });
    assert.notEqual(await made.create(), 0);
    assert.match(made.output(), /executable file .*not found in \$PATH/);
  });
}

test('ps and list know the container', async () => {
  const made = new Made('ours', 'sleep 30 & sleep 30');
  assert.equal(await made.create(), 0, made.output());
  made.verb('start', made.id);
  const pids = JSON.parse(made.verb('ps', '--format', 'json', made.id)) as number[];
  assert.ok(pids.includes(made.state().pid));
  const listed = JSON.parse(made.verb('list', '--format', 'json')) as State[];
  assert.deepEqual(
    listed.map((state) => [state.id, state.status]),
    [[made.id, 'running']],
  );
  assert.equal(made.verb('list', '--quiet'), `${made.id}\n`);
  made.verb('kill', '--all', made.id, 'KILL');
  await made.until('stopped');
  made.verb('delete', made.id);
});

test('two containers cannot have one id', async () => {
  const made = new Made('ours', 'sleep 30');
  assert.equal(await made.create(), 0, made.output());
  assert.equal(await made.create(), 1);
  assert.match(made.output(), /exists already/);
  assert.equal(made.state().status, 'created');
  made.verb('delete', made.id);
});

test('errors go to the log in runc’s form', () => {
  const log = rig.fresh('errors');
  const ran = rig.run('ours', ['--log', log, '--log-format', 'json', 'state', 'nobody']);
  assert.equal(ran.status, 1);
  const line = JSON.parse(readFileSync(log, 'utf8')) as Record<string, unknown>;
  assert.equal(line['level'], 'error');
  assert.match(String(line['msg']), /container does not exist: nobody/);
  assert.match(ran.stderr, /^container does not exist: nobody\n$/);
});

test('features is the specification’s JSON', () => {
  const features = JSON.parse(rig.run('ours', ['features']).stdout) as Record<string, unknown>;
  assert.equal(features['ociVersionMin'], '1.0.0');
  assert.ok(Array.isArray(features['mountOptions']));
});

test('the pid 1 of --init passes signals on, reaps and gives the status', () => {
  const binary = rig.command('ours', [])[0] ?? '';
  const init = (script: string, change: string[] = []) =>
    rig.runBundle(
      'ours',
      rig.bundle('', (config) => {
        config.process['args'] = ['/init', 'init', '--', '/bin/sh', '-c', script, ...change];
        config.mounts.push({
          destination: '/init',
          type: 'bind',
          source: binary,
          options: ['bind', 'ro'],
        });
      }),
    );
  assert.equal(init('exit 7').status, 7);
  assert.equal(init('kill -TERM $$; sleep 5').status, 143);
  assert.equal(init('trap "exit 5" USR1; kill -USR1 1; while :; do sleep 0.01; done').status, 5);
  const reaped = init(
    '(sh -c "sleep 0.05 &"); sleep 0.3; cat /proc/[0-9]*/status | grep -c "^State:.Z"',
  );
  assert.equal(reaped.stdout, '0\n');
});

test('an overlay of hundreds of layers is the root, and what is written lands in the upper directory', () => {
  const base = rig.fresh('layers');
  const lowers: string[] = [];
  for (let layer = 0; layer < 300; layer += 1) {
    const folder = join(base, `l${layer}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `f${layer}`), String(layer));
    writeFileSync(join(folder, 'top'), String(layer));
    lowers.push(folder);
  }
  lowers.push(rig.rootfs);
  const [upper, work] = [join(base, 'upper'), join(base, 'work')];
  mkdirSync(upper);
  mkdirSync(work);
  const bundle = rig.bundle(
    'cat /f0 /f299 /top; echo; echo new >/new; ls /f* | wc -l',
    (config) => {
      config.root['root'] = { overlay: { lowers, upper, work } };
    },
  );
  const ran = rig.runBundle('ours', bundle);
  assert.equal(ran.stdout, '02990\n300\n', ran.stderr);
  assert.equal(readFileSync(join(upper, 'new'), 'utf8'), 'new\n');
  const readonly = rig.bundle('echo new >/new', (config) => {
    config.root['root'] = { overlay: { lowers: [rig.rootfs, join(base, 'l0')] } };
  });
  assert.match(rig.runBundle('ours', readonly).stderr, /Read-only file system/);
  assert.ok(!existsSync(join(rig.rootfs, 'new')));
});

test('users are resolved in the root file system and HOME follows', () => {
  const run = (username: string) =>
    rig.runBundle(
      'ours',
      rig.bundle('id; echo $HOME', (config) => {
        config.process['user'] = { uid: 0, gid: 0, username };
      }),
    );
  assert.equal(
    run('node').stdout,
    'uid=1000(node) gid=1001(node) groups=29(audio),1001(node)\n/home/node\n',
  );
  assert.match(
    run('1000:29').stdout,
    /^uid=1000\(node\) gid=29\(audio\) groups=29\(audio\)\n\/home\/node\n/,
  );
  assert.match(run('4711').stdout, /^uid=4711 gid=0\(root\) groups=0\(root\)\n\/\n/);
  assert.match(
    run('nobody').stderr,
    /unable to find user nobody: no matching entries in passwd file/,
  );
});
