/** Engines and shims that are killed: containers go on, nothing acknowledged is lost, nothing half-made is left, and the same thing works afterwards. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveOf } from '../../scripts/lib/images.ts';
import { serveImages, type Registry } from '../../scripts/lib/registry.ts';
import { command, startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';
import { startSlowRegistry, type SlowRegistry } from '../support/slow-registry.ts';
import {
  assertTraces,
  lives,
  processesWith,
  settledTraces,
  tracesOf,
  until,
} from '../support/traces.ts';

const COUNT = 'i=0; while :; do echo $i; i=$((i+1)); usleep 50000; done';

for (const mode of ['system', 'rootless'] as const) {
  describe(`faults of the engine in mode ${mode}`, () => suite(mode));
}

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let registry: Registry;
  let slow: SlowRegistry;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  const inspect = (name: string, format: string): Promise<string> =>
    docker('inspect', '--format', format, name);
  const killEngine = async (): Promise<void> => {
    const pid = await engine.pid();
    process.kill(pid, 'SIGKILL');
    await until('the engine is gone', () => !lives(pid));
  };
  const killShim = (id: string): void => {
    const file = join(engine.runRoot, 'shims', id.slice(0, 16), 'shim.json');
    const { shimPid } = JSON.parse(readFileSync(file, 'utf8')) as { shimPid: number };
    process.kill(shimPid, 'SIGKILL');
  };

  before(async () => {
    registry = await serveImages();
    slow = await startSlowRegistry(registry.url);
    engine = await startTestEngine(mode, { PINNACE_REGISTRY_MIRROR: `docker.io=${slow.url}` });
    await docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    const left = await engine.close();
    await slow.close();
    await registry.stop();
    assert.deepEqual(left, [], 'nothing is left behind');
  });

  test('a container that ends while it is stopped is stopped', async () => {
    // The signal and the limit of no seconds meet its end at every moment of it.
    const ends = 'trap "exit 0" TERM; while :; do usleep 1000; done';
    for (let turn = 0; turn < 15; turn += 1) {
      await docker(
        'run',
        '-d',
        '--network',
        'none',
        '--name',
        'ender',
        'busybox',
        'sh',
        '-c',
        ends,
      );
      await docker('stop', '-t', '0', 'ender');
      assert.equal(await inspect('ender', '{{.State.Status}}'), 'exited');
      await docker('rm', 'ender');
    }
  });

  test('a running container survives kill -9 of the engine and is attached to again', async () => {
    const base = await settledTraces(engine);
    await docker('run', '-d', '--name', 'walker', 'busybox', 'sh', '-c', COUNT);
    await sleep(500);
    const pid = await inspect('walker', '{{.State.Pid}}');
    await killEngine();
    await sleep(500);
    await engine.start();
    assert.equal(await inspect('walker', '{{.State.Status}} {{.State.Pid}}'), `running ${pid}`);
    assert.equal(await docker('exec', 'walker', 'echo', 'inside'), 'inside');
    const seen = await engine.tryDocker(['attach', '--no-stdin', '--sig-proxy=false', 'walker'], {
      timeout: 5000,
    });
    assert.ok(seen.stdout.split('\n').length > 5, `attach shows new lines: ${seen.stdout}`);
    await docker('stop', '-t', '1', 'walker');
    assert.equal(await inspect('walker', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
    const lines = (await docker('logs', 'walker')).split('\n');
    assert.ok(lines.length > 20);
    assert.deepEqual(
      lines,
      lines.map((_, at) => String(at)),
      'the log has no gap',
    );
    await docker('rm', 'walker');
    await assertTraces(engine, base);
  });

  test('what ended while no engine was there has its own exit status, and --rm containers are gone', async () => {
    const base = await settledTraces(engine);
    await docker(
      'run',
      '-d',
      '--name',
      'ender',
      'busybox',
      'sh',
      '-c',
      'sleep 1; echo bye; exit 7',
    );
    await docker('run', '-d', '--rm', '--name', 'passer', 'busybox', 'sleep', '1');
    await docker('run', '-d', '--name', 'shot', 'busybox', 'sh', '-c', 'sleep 1; kill -9 $$');
    await killEngine();
    await sleep(2500);
    const restarted = Date.now();
    await engine.start();
    assert.equal(await inspect('ender', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 7');
    assert.ok(Date.parse(await inspect('ender', '{{.State.FinishedAt}}')) < restarted - 500);
    assert.equal(await docker('logs', 'ender'), 'bye');
    // PID 1 of a namespace cannot kill itself: the shell ends with the status of `kill`.
    assert.match(
      await inspect('shot', '{{.State.Status}} {{.State.ExitCode}}'),
      /^exited (0|137)$/,
    );
    await until('the --rm container is gone', async () => {
      return !(await docker('ps', '-a', '--format', '{{.Names}}')).includes('passer');
    });
    await docker('rm', 'ender', 'shot');
    await assertTraces(engine, base);
  });

  test('an engine killed while containers come and go leaves whole ones or none', async () => {
    const base = await settledTraces(engine);
    for (const delay of [40, 90, 150, 220, 300]) {
      const runs = [1, 2, 3].map(() =>
        engine.tryDocker(['run', '--rm', 'busybox', 'true'], { timeout: 60_000 }),
      );
      await sleep(delay);
      await killEngine();
      await Promise.all(runs);
      await engine.start();
      const ids = (await docker('ps', '-aq', '--no-trunc')).split('\n').filter((id) => id !== '');
      await until('only containers have shims', () =>
        tracesOf(engine).shims.every((shim) => ids.some((id) => id.startsWith(shim))),
      );
      if (ids.length > 0) await docker('rm', '-f', ...ids);
      await assertTraces(engine, base);
      assert.equal(await docker('run', '--rm', 'busybox', 'echo', 'again'), 'again');
    }
    await assertTraces(engine, base);
  });

  test('an engine killed in the middle of a pull clears it at the next start, and the pull works then', async () => {
    await docker('tag', 'busybox', 'kept');
    await docker('rmi', 'busybox');
    const base = await settledTraces(engine);
    const sent = slow.sent();
    slow.delay = 100;
    const pull = engine.tryDocker(['pull', 'debian:bookworm-slim']);
    await until('the layer is on its way', () => slow.sent() > sent + 40_000);
    await killEngine();
    assert.notEqual((await pull).status, 0);
    await until('the unpacking helper ended', () => {
      return processesWith('unpack', engine.dataRoot).filter(lives).length === 0;
    });
    await engine.start();
    assert.doesNotMatch(await docker('images'), /debian/);
    await assertTraces(engine, base);
    slow.delay = 0;
    await docker('pull', 'debian:bookworm-slim');
    assert.equal(await docker('run', '--rm', 'debian:bookworm-slim', 'echo', 'whole'), 'whole');
    await docker('rmi', 'debian:bookworm-slim');
    await docker('tag', 'kept', 'busybox');
    await docker('rmi', 'kept');
    await assertTraces(engine, base);
  });

  test('a pull whose client goes away leaves nothing', async () => {
    const base = await settledTraces(engine);
    const sent = slow.sent();
    slow.delay = 100;
    const abort = new AbortController();
    const pull = engine.tryDocker(['pull', 'debian:bookworm-slim'], { signal: abort.signal });
    await until('the layer is on its way', () => slow.sent() > sent + 40_000);
    abort.abort();
    await pull;
    await assertTraces(engine, base);
    slow.delay = 0;
    assert.doesNotMatch(await docker('images'), /debian/);
  });

  test('an engine killed in the middle of a build leaves no step, no layer and no folder', async () => {
    const base = await settledTraces(engine);
    const build = engine.tryDocker(['build', '-t', 'half', '-'], {
      input: 'FROM busybox\nRUN touch /x && sleep 61.7\n',
    });
    await until('the step runs', () => tracesOf(engine).shims.length > base.shims.length);
    await sleep(300);
    await killEngine();
    assert.notEqual((await build).status, 0);
    await engine.start();
    await assertTraces(engine, base);
    await until('the step is dead', () => processesWith('sleep 61.7').filter(lives).length === 0);
    assert.doesNotMatch(await docker('images'), /half/);
    const again = await engine.tryDocker(['build', '-t', 'half', '-'], {
      input: 'FROM busybox\nRUN touch /x\n',
    });
    assert.equal(again.status, 0, again.stderr);
    await docker('rmi', 'half');
  });

  test('a killed shim takes its container along, which is exited 137 soon and starts again', async () => {
    const base = await settledTraces(engine);
    const id = await docker(
      'run',
      '-d',
      '--name',
      'orphan',
      'busybox',
      'sh',
      '-c',
      'sleep 62.8 & sleep 62.8',
    );
    await until('both run', () => processesWith('sleep 62.8').filter(lives).length >= 2);
    killShim(id);
    await until(
      'the container is exited',
      async () =>
        (await inspect('orphan', '{{.State.Status}} {{.State.ExitCode}}')) === 'exited 137',
      20_000,
    );
    await until(
      'its processes are dead',
      () => {
        return processesWith('sleep 62.8').filter(lives).length === 0;
      },
      20_000,
    );
    await docker('start', 'orphan');
    assert.equal(await inspect('orphan', '{{.State.Status}}'), 'running');
    assert.equal(await docker('exec', 'orphan', 'echo', 'again'), 'again');
    await docker('rm', '-f', 'orphan');
    await assertTraces(engine, base);
  });

  test('a shim killed while no engine was there counts as a killed container', async () => {
    const base = await settledTraces(engine);
    const id = await docker('run', '-d', '--name', 'lost', 'busybox', 'sleep', '63.9');
    await killEngine();
    killShim(id);
    await sleep(200);
    await engine.start();
    assert.equal(await inspect('lost', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 137');
    await docker('start', 'lost');
    assert.equal(await inspect('lost', '{{.State.Status}}'), 'running');
    await docker('rm', '-f', 'lost');
    await assertTraces(engine, base);
  });

  test('ten starters after a kill get one engine and one address', async () => {
    await killEngine();
    const starts = await Promise.all(
      Array.from({ length: 10 }, () => engine.pinnace('engine', 'start', '--mode', mode)),
    );
    assert.deepEqual(
      starts.map((start) => [start.status, start.stdout.trim()]),
      starts.map(() => [0, engine.address]),
      starts.map((start) => start.stderr).join(''),
    );
    await until('one engine is left', () => {
      return processesWith('engine.js', engine.runRoot).filter(lives).length === 1;
    });
  });

  test('idle exit waits for the last container', { timeout: 200_000 }, async () => {
    await engine.pinnace('engine', 'stop');
    const start = await engine.pinnace('engine', 'start', '--mode', mode, '--idle-exit', '1');
    assert.equal(start.status, 0, start.stderr);
    await docker('run', '-d', '--name', 'busy', 'busybox', 'sleep', '15');
    const pid = await engine.pid();
    await sleep(3000);
    assert.ok(lives(pid), 'a container runs, so the engine stays');
    await until('the engine ends by itself', () => !lives(pid));
    const gone = await command(['test', '-e', join(engine.runRoot, 'engine.sock')]);
    assert.equal(gone.status, 1, 'its socket is gone');
    await engine.start();
    assert.equal(await inspect('busy', '{{.State.Status}} {{.State.ExitCode}}'), 'exited 0');
    await docker('rm', 'busy');
    await until('its folder is gone', () => tracesOf(engine).containers.length === 0);
  });
}
