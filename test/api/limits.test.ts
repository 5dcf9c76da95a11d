/** Limits on cgroup v1 through the docker command line: enforced, read back from the control files, told in the figures of stats, changed by update. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveOf } from '../../scripts/lib/images.ts';
import { controlFile, delegate, hierarchies } from '../support/cgroups.ts';
import { startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';
import { until } from '../support/traces.ts';

const MIB = 1024 * 1024;
const ENFORCED = ['memory', 'pids', 'cpu', 'cpuacct', 'freezer'];
const HOG = ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=100M', 'count=1'];
const FORKS = 'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 5 & done; echo all';
const SPIN = 'while :; do :; done';

before(() => {
  assert.ok(
    ENFORCED.every((name) => hierarchies().includes(name)),
    'these tests need cgroup v1 hierarchies (cgroup v2: test/contracts/limits)',
  );
});

describe('limits on cgroup v1 as root', () => enforced('system', () => undefined));

describe('limits on cgroup v1 in directories delegated to a user', () => {
  const delegation = delegate(ENFORCED);
  enforced('rootless', (uid) => delegation.enter(uid));
  // After the engine's own end: hooks run in the order they were made.
  after(() => delegation.end());

  test('a hierarchy that was not delegated is named by create, and only that', async () => {
    const engine = engineOf('rootless');
    const created = await engine.tryDocker([
      ...['create', '--network', 'none', '-m', '32m', '--cpus', '0.5', '--pids-limit', '20'],
      ...['--cpuset-cpus', '0', 'busybox'],
    ]);
    assert.equal(created.status, 0, created.stderr);
    assert.deepEqual(warnings(created.stderr), [
      'Your kernel does not support cpuset or the cgroup is not mounted. Limitation discarded.',
    ]);
    await engine.docker('rm', created.stdout.trim());
  });
});

describe('limits where no directory is delegated', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startTestEngine('rootless');
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('every limit that is not enforced is named, and the container runs all the same', async () => {
    const limits = ['-m', '32m', '--memory-reservation', '16m', '--pids-limit', '20'];
    const more = ['--cpus', '0.5', '--cpu-shares', '512', '--cpuset-cpus', '0'];
    const ran = await engine.tryDocker([
      ...['run', '--rm', '--network', 'none', ...limits, ...more, 'busybox', 'echo', 'ran'],
    ]);
    assert.equal(ran.status, 0, ran.stderr);
    assert.equal(ran.stdout, 'ran\n');
    const named = warnings(ran.stderr).map((line) => /support (.*) or the/.exec(line)?.[1]);
    assert.deepEqual(named, [
      'memory limit capabilities',
      'memory soft limit capabilities',
      'PIDs limit capabilities',
      'CPU CFS quota',
      'CPU shares',
      'cpuset',
    ]);
  });

  test('info tells clients that the limits are not there', async () => {
    assert.equal(
      await engine.docker('info', '--format', '{{.MemoryLimit}} {{.PidsLimit}} {{.CPUCfsQuota}}'),
      'false false false',
    );
  });

  test('resource limits of the process work without any cgroup', () => ulimits(engine));
});

const engines = new Map<EngineMode, TestEngine>();

/** The engine of the describe block that runs now. */
function engineOf(mode: EngineMode): TestEngine {
  const engine = engines.get(mode);
  assert.ok(engine !== undefined, 'the engine runs');
  return engine;
}

function enforced(mode: EngineMode, prepare: (uid: number) => void): void {
  let engine: TestEngine;
  before(async () => {
    engine = await startTestEngine(mode, {}, (user) => {
      prepare(user?.uid ?? 0);
      return undefined;
    });
    engines.set(mode, engine);
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    engines.delete(mode);
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('what needs more memory than it may have is killed, and inspect and events tell', async () => {
    const ran = await engine.tryDocker([
      ...['run', '--name', 'hog', '--network', 'none', '-m', '32m', 'busybox', ...HOG],
    ]);
    assert.equal(ran.status, 137, ran.stderr);
    assert.deepEqual(warnings(ran.stderr), []);
    assert.equal(
      await engine.docker('inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'hog'),
      'true 137',
    );
    const events = (): Promise<string> =>
      engine.docker(
        ...['events', '--since', '10m', '--until', '0s', '--filter', 'event=oom'],
        ...['--filter', 'container=hog', '--format', '{{.Action}} {{.Actor.Attributes.name}}'],
      );
    await until('the event is there', async () => (await events()) === 'oom hog');
    await engine.docker('rm', 'hog');
    const fits = ['--rm', '--network', 'none', '-m', '200m', 'busybox', ...HOG];
    assert.equal((await engine.tryDocker(['run', ...fits])).status, 0, 'with enough it ends well');
  });

  test('more processes than allowed cannot be forked', async () => {
    const run = (limit: string) =>
      engine.tryDocker([
        ...['run', '--rm', '--network', 'none', '--pids-limit', limit],
        ...['busybox', 'sh', '-c', FORKS],
      ]);
    const ran = await run('10');
    assert.notEqual(ran.status, 0);
    assert.match(ran.stderr, /can't fork: Resource temporarily unavailable/);
    assert.equal((await run('40')).stdout, 'all\n');
  });

  test('a share of a processor is all that a busy container gets', async () => {
    const pid = await spin(engine, 'busy', ['--cpus', '0.2']);
    const used = await cpuSeconds(pid, 2);
    await engine.docker('rm', '-f', 'busy');
    assert.ok(used > 0.02 && used < 0.6, `${used.toFixed(2)} s of 2 s, where 0.4 s are allowed`);
  });

  test('the control files hold what was asked for', async () => {
    const pid = await spin(engine, 'read-back', [
      ...['-m', '64m', '--memory-swap', '96m', '--memory-reservation', '32m'],
      ...['--pids-limit', '30', '--cpus', '0.2', '--cpu-shares', '512'],
    ]);
    assert.deepEqual(readBack(pid), {
      memory: String(64 * MIB),
      swap: String(96 * MIB),
      reservation: String(32 * MIB),
      pids: '30',
      quota: '20000',
      period: '100000',
      shares: '512',
    });
    if (mode === 'system') {
      const cpu = lastCpu();
      const other = await spin(engine, 'one-cpu', ['--cpuset-cpus', cpu, '--cpuset-mems', '0']);
      assert.equal(controlFile(other, 'cpuset', 'cpuset.cpus'), cpu);
      assert.match(
        readFileSync(`/proc/${other}/status`, 'utf8'),
        new RegExp(`Cpus_allowed_list:\\s+${cpu}\n`),
      );
      await engine.docker('rm', '-f', 'one-cpu');
    }
    await engine.docker('rm', '-f', 'read-back');
  });

  test('stats shows the figures of the control files', async () => {
    const pid = await spin(engine, 'figures', ['-m', '64m', '--pids-limit', '30', '--cpus', '0.3']);
    const shown = JSON.parse(
      await engine.docker('stats', '--no-stream', '--format', '{{json .}}', 'figures'),
    ) as Record<'CPUPerc' | 'MemUsage' | 'PIDs', string>;
    assert.match(shown.MemUsage, / \/ 64MiB$/);
    assert.equal(shown.PIDs, controlFile(pid, 'pids', 'pids.current'));
    const percent = Number(shown.CPUPerc.replace('%', ''));
    assert.ok(percent > 1 && percent < 45, `${shown.CPUPerc} where 30 % are allowed`);
    await engine.docker('rm', '-f', 'figures');
  });

  test('update changes the limits of a running container and of its next run', async () => {
    let pid = await spin(engine, 'change', ['-m', '64m', '--pids-limit', '30', '--cpus', '0.2']);
    const changed = await engine.tryDocker([
      ...['update', '-m', '96m', '--memory-swap', '128m', '--pids-limit', '40'],
      ...['--cpus', '0.5', '--cpu-shares', '2048', 'change'],
    ]);
    assert.deepEqual([changed.status, changed.stderr], [0, '']);
    const wanted = { memory: 96, swap: 128, pids: '40', quota: '50000', shares: '2048' };
    const check = (): void => {
      const { memory, swap, pids, quota, shares } = readBack(pid);
      const found = { memory: Number(memory) / MIB, swap: Number(swap) / MIB, pids, quota, shares };
      assert.deepEqual(found, wanted);
    };
    check();
    const used = await cpuSeconds(pid, 2);
    assert.ok(used > 0.02 && used < 1.4, `${used.toFixed(2)} s of 2 s, where 1 s is allowed`);
    await engine.docker('restart', '-t', '0', 'change');
    pid = await pidOf(engine, 'change');
    check();
    await engine.docker('rm', '-f', 'change');
  });

  test('exec is limited with its container', async () => {
    await spin(engine, 'inside', ['-m', '32m', '--cpus', '0.5']);
    const ran = await engine.tryDocker(['exec', 'inside', ...HOG]);
    assert.equal(ran.status, 137, ran.stderr);
    await engine.docker('rm', '-f', 'inside');
  });

  test('resource limits above what the engine may set are clamped', () => ulimits(engine));
}

async function ulimits(engine: TestEngine): Promise<void> {
  const most = Number(/Max open files\s+\d+\s+(\d+)/.exec(limitsOf(await engine.pid()))?.[1]);
  const ran = await engine.tryDocker([
    ...['run', '--rm', '--network', 'none', '--ulimit', 'nofile=1048576:1048576'],
    ...['--ulimit', 'core=0', '--ulimit', 'stack=1048576:2097152'],
    ...['busybox', 'cat', '/proc/self/limits'],
  ]);
  assert.equal(ran.status, 0, ran.stderr);
  const inside = (name: string) =>
    new RegExp(`${name}\\s+(\\w+)\\s+(\\w+)`).exec(ran.stdout)?.slice(1).map(Number);
  // A process with CAP_SYS_RESOURCE of the machine may set all of it.
  const allowed = engine.mode === 'system' && mayRaise() ? 1_048_576 : Math.min(most, 1_048_576);
  assert.deepEqual(inside('Max open files'), [allowed, allowed]);
  assert.deepEqual(inside('Max core file size'), [0, 0]);
  assert.deepEqual(inside('Max stack size'), [1_048_576, 2_097_152]);
}

function limitsOf(pid: number): string {
  return readFileSync(`/proc/${pid}/limits`, 'utf8');
}

/** CAP_SYS_RESOURCE is bit 24 (capability.h). */
function mayRaise(): boolean {
  const text = /CapEff:\s+([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${text}`) >> 24n) & 1n) === 1n;
}

/** Starts a container that only burns time; gives its pid. */
async function spin(engine: TestEngine, name: string, limits: readonly string[]): Promise<number> {
  const made = ['-d', '--name', name, '--network', 'none', ...limits, 'busybox', 'sh', '-c', SPIN];
  await engine.docker('run', ...made);
  return pidOf(engine, name);
}

async function pidOf(engine: TestEngine, name: string): Promise<number> {
  const pid = Number(await engine.docker('inspect', '-f', '{{.State.Pid}}', name));
  assert.ok(pid > 1, `${name} runs`);
  return pid;
}

/** Processor seconds that the container's group uses within so many seconds. */
async function cpuSeconds(pid: number, seconds: number): Promise<number> {
  const used = (): number => Number(controlFile(pid, 'cpuacct', 'cpuacct.usage'));
  const [start, from] = [used(), process.hrtime.bigint()];
  await sleep(seconds * 1000);
  const passed = Number(process.hrtime.bigint() - from) / 1e9;
  return ((used() - start) / 1e9) * (seconds / passed);
}

function readBack(pid: number): Record<string, string> {
  return {
    memory: controlFile(pid, 'memory', 'memory.limit_in_bytes'),
    swap: controlFile(pid, 'memory', 'memory.memsw.limit_in_bytes'),
    reservation: controlFile(pid, 'memory', 'memory.soft_limit_in_bytes'),
    pids: controlFile(pid, 'pids', 'pids.max'),
    quota: controlFile(pid, 'cpu', 'cpu.cfs_quota_us'),
    period: controlFile(pid, 'cpu', 'cpu.cfs_period_us'),
    shares: controlFile(pid, 'cpu', 'cpu.shares'),
  };
}

/** A processor that this machine has and lets us use. */
function lastCpu(): string {
  const list = /Cpus_allowed_list:\s+(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return list?.split(/[,-]/).at(-1) ?? '0';
}

/** The create answer's warnings, as the command line prints them. */
function warnings(stderr: string): string[] {
  return stderr
    .split('\n')
    .filter((line) => line.startsWith('WARNING: '))
    .map((line) => line.slice('WARNING: '.length));
}
