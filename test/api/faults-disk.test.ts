/** Disks that are full or read-only: each call works or says what is missing, nothing half-made stays, what was acknowledged is there, and room can be made with the engine's own commands. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { remount, smallDisk } from '../support/disk.ts';
import {
  startTestEngine,
  type EngineMode,
  type Result,
  type TestEngine,
} from '../support/engine.ts';
import { tar } from '../support/tar.ts';
import { assertTraces, lives, settledTraces, until } from '../support/traces.ts';

const MIB = 2 ** 20;
const DISK = { bytes: 48 * MIB, files: 10_000 };
/** Fills the disk to its last byte; busybox's dd ends with an error. */
const FILL = 'dd if=/dev/zero of=/fill bs=64k; dd if=/dev/zero of=/rest bs=1; true';

for (const mode of ['system', 'rootless'] as const) {
  describe(`a full disk in mode ${mode}`, () => fullDisk(mode));
  describe(`a read-only disk in mode ${mode}`, () => readOnlyDisk(mode));
}

function fullDisk(mode: EngineMode): void {
  let engine: TestEngine;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  /** The call works, or its error says that there is no room. */
  const honest = (what: string, result: Result): boolean => {
    assert.notEqual(result.status, 124, `${what} hangs`);
    if (result.status !== 0)
      assert.match(result.stderr, /no space|disk is full|ENOSPC|limit of \d+ bytes/i, what);
    return result.status === 0;
  };
  const fill = (): Promise<Result> =>
    engine.tryDocker(['run', '--name', 'filler', '--network', 'none', 'busybox', 'sh', '-c', FILL]);

  before(async () => {
    engine = await startTestEngine(mode, {}, smallDisk(DISK));
    await docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('what fits on no disk is refused, what was there goes on, and room can be made', async () => {
    const base = await settledTraces(engine);
    const id = await docker('run', '-d', '--name', 'worker', 'busybox', 'sleep', '600');
    const working = await settledTraces(engine);
    await fill();
    const filled = await settledTraces(engine);
    const noise = tar([{ name: 'noise', content: Buffer.alloc(8 * MIB, 'n') }]);
    honest('load', await engine.tryDocker(['load', '-i', archiveOf('debian:bookworm-slim')]));
    honest('import', await engine.tryDocker(['import', '-', 'big:1'], { input: noise }));
    const context = tar([
      { name: 'Dockerfile', content: 'FROM busybox\nRUN head -c 8000000 /dev/urandom > /x\n' },
    ]);
    const built = await engine.tryDocker(['build', '-t', 'built', '-'], { input: context });
    assert.notEqual(built.status, 0);
    const copied = await engine.tryDocker(['cp', '-', 'worker:/tmp'], { input: noise });
    assert.ok(!honest('cp', copied));
    await assertTraces(engine, filled);
    assert.doesNotMatch(await docker('images'), /debian|big|built/);
    assert.equal(await docker('inspect', '--format', '{{.State.Status}}', id), 'running');
    assert.equal(await docker('exec', 'worker', 'echo', 'alive'), 'alive');
    await docker('rm', '-f', 'filler');
    await docker('exec', 'worker', 'sh', '-c', 'rm -rf /tmp/*');
    await assertTraces(engine, working);
    assert.equal(await docker('run', '--rm', 'busybox', 'echo', 'room'), 'room');
    await docker('rm', '-f', 'worker');
    await assertTraces(engine, base);
  });

  test('small things on a full disk work or say why, and none is half there', async () => {
    const base = await settledTraces(engine);
    await fill();
    const calls: readonly (readonly [string, ...string[]])[] = [
      ['create', '--name', 'made', 'busybox', 'true'],
      ['run', '--name', 'ran', 'busybox', 'true'],
      ['volume', 'create', 'room'],
      ['tag', 'busybox', 'other:1'],
      ['rename', 'filler', 'filled'],
    ];
    const done = new Map<string, boolean>();
    for (const args of calls) done.set(args[0], honest(args[0], await engine.tryDocker(args)));
    const names = (await docker('ps', '-a', '--format', '{{.Names}}')).split('\n');
    assert.equal(names.includes('made'), done.get('create'));
    assert.equal(names.includes('filled'), done.get('rename'));
    assert.equal((await docker('volume', 'ls', '-q')) === 'room', done.get('volume'));
    assert.equal((await docker('images')).includes('other'), done.get('tag'));
    await docker('rm', '-fv', ...names);
    for (const [name, args] of [
      ['volume', ['volume', 'rm', 'room']],
      ['tag', ['rmi', 'other:1']],
    ] as const)
      if (done.get(name) === true) await docker(...args);
    await assertTraces(engine, base);
  });

  test('an exit on a full disk has its own status', async () => {
    const base = await settledTraces(engine);
    await docker('run', '-d', '--name', 'ender', 'busybox', 'sh', '-c', `${FILL}; exit 7`);
    assert.equal(await docker('wait', 'ender'), '7');
    assert.equal(
      await docker('inspect', '--format', '{{.State.Status}} {{.State.ExitCode}}', 'ender'),
      'exited 7',
    );
    await docker('rm', 'ender');
    await assertTraces(engine, base);
  });

  test('an engine killed on a full disk starts again with everything, and room can be made', async () => {
    const base = await settledTraces(engine);
    await docker('run', '-d', '--name', 'worker', 'busybox', 'sleep', '600');
    await fill();
    const pid = await engine.pid();
    process.kill(pid, 'SIGKILL');
    await until('the engine is gone', () => !lives(pid));
    await engine.start();
    assert.equal(await docker('inspect', '--format', '{{.State.Status}}', 'worker'), 'running');
    assert.match(await docker('images'), /busybox/);
    await docker('rm', '-f', 'worker', 'filler');
    assert.equal(await docker('run', '--rm', 'busybox', 'echo', 'room'), 'room');
    await assertTraces(engine, base);
  });
}

function readOnlyDisk(mode: EngineMode): void {
  let engine: TestEngine;
  let home: string;

  before(async () => {
    engine = await startTestEngine(mode, {}, (user, dir) => {
      home = dir;
      return smallDisk(DISK)(user, dir);
    });
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
    await engine.docker('create', '--name', 'kept', 'busybox', 'echo', 'kept');
  });
  after(async () => {
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('an engine says that its disk is read-only, and has everything when it is not any more', async () => {
    const base = await settledTraces(engine);
    await engine.pinnace('engine', 'stop');
    // Who stopped may still hold a file open for a moment.
    await until('the disk is read-only', () => {
      try {
        remount(home, 'ro');
        return true;
      } catch {
        return false;
      }
    });
    const started = await engine.pinnace('engine', 'start', '--mode', mode);
    remount(home, 'rw');
    assert.notEqual(started.status, 0);
    assert.match(started.stderr, /read-only|EROFS/i);
    assert.ok(started.stderr.includes(join(home, '')), started.stderr);
    await engine.start();
    assert.equal(await engine.docker('start', '-a', 'kept'), 'kept');
    await assertTraces(engine, base);
  });
}
