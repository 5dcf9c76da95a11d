/** Hostile and broken archives through docker load, build and cp, and a helper that is killed in the middle: a clear error, the engine goes on, nothing outside is touched, nothing is kept. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import { archiveOf } from '../../scripts/lib/images.ts';
import { sendSignal } from '../support/children.ts';
import { startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';
import { imageArchive, type ImageParts } from '../support/image-archive.ts';
import { tar, tarEntry, type TarEntry } from '../support/tar.ts';
import { assertTraces, lives, processesWith, settledTraces, until } from '../support/traces.ts';

const GIB = 2 ** 30;

for (const mode of ['system', 'rootless'] as const) {
  describe(`hostile archives in mode ${mode}`, () => suite(mode));
}

/** An image of one layer. */
function archiveWith(layer: Buffer, more: Partial<ImageParts> = {}): Buffer {
  return imageArchive({ name: 'evil:1', layers: [layer], ...more });
}

/** A gzip of a tar whose one file has so many zeros; a few MB long. */
async function bomb(size: number): Promise<Buffer> {
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const parts: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => parts.push(chunk));
  const ended = new Promise((resolve) => gzip.once('end', resolve));
  gzip.write(tarEntry({ name: 'zeros', claim: size }));
  const piece = Buffer.alloc(2 ** 20);
  for (let at = 0; at < size; at += piece.length)
    if (!gzip.write(piece)) await new Promise((resolve) => gzip.once('drain', resolve));
  gzip.end(Buffer.alloc(1024));
  await ended;
  return Buffer.concat(parts);
}

function suite(mode: EngineMode): void {
  let engine: TestEngine;
  let outside: string;
  let canary: string;
  const docker = (...args: string[]): Promise<string> => engine.docker(...args);
  const unharmed = async (): Promise<void> => {
    assert.equal(readFileSync(canary, 'utf8'), 'alive');
    assert.deepEqual(readdirSync(outside), ['canary']);
    assert.equal(existsSync('/tmp/pinnace-escaped'), false);
    assert.equal(existsSync(join(engine.dataRoot, 'pinnace-escaped')), false);
    assert.equal(await docker('run', '--rm', 'busybox', 'echo', 'alive'), 'alive');
  };
  /** Entries that would land outside, by any way, if names were believed. */
  const hostile = (): readonly (readonly [string, readonly TarEntry[]])[] => [
    ['names with ..', [{ name: '../../../../../../tmp/pinnace-escaped', content: 'x' }]],
    ['absolute names', [{ name: '/tmp/pinnace-escaped', content: 'x' }]],
    [
      'a file through a symlink',
      [
        { name: 'way', type: '2', link: outside },
        { name: 'way/escaped', content: 'x' },
      ],
    ],
    [
      'a file over a symlink',
      [
        { name: 'way', type: '2', link: canary },
        { name: 'way', content: 'dead' },
      ],
    ],
    [
      'a file through a symlink with ..',
      [
        { name: 'way', type: '2', link: `../../../../../../../..${outside}` },
        { name: 'way/escaped', content: 'x' },
      ],
    ],
    [
      'a hard link out of the root',
      [
        { name: 'grip', type: '1', link: `../../../../../../../..${canary}` },
        { name: 'grip', content: 'dead' },
      ],
    ],
    [
      'a hard link through a symlink',
      [
        { name: 'way', type: '2', link: outside },
        { name: 'grip', type: '1', link: 'way/canary' },
        { name: 'grip', content: 'dead' },
      ],
    ],
    ['a whiteout above the root', [{ name: '../../../.wh.tmp', content: '' }]],
  ];

  before(async () => {
    outside = mkdtempSync('/tmp/pinnace-outside-');
    canary = join(outside, 'canary');
    writeFileSync(canary, 'alive');
    engine = await startTestEngine(mode);
    await docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    const left = await engine.close();
    rmSync(outside, { recursive: true, force: true });
    assert.deepEqual(left, [], 'nothing is left behind');
  });

  test('no layer leaves its root, whatever its entries are called', async () => {
    const base = await settledTraces(engine);
    for (const [what, entries] of hostile()) {
      const loaded = await engine.tryDocker(['load'], { input: archiveWith(tar(entries)) });
      if (loaded.status === 0) await docker('rmi', 'evil:1');
      else assert.match(loaded.stderr, /\S{3}/, what);
      await unharmed();
      await assertTraces(engine, base);
    }
  });

  test('no build context leaves its root', async () => {
    const base = await settledTraces(engine);
    for (const [, entries] of hostile()) {
      const input = tar([{ name: 'Dockerfile', content: 'FROM scratch\nCOPY . /\n' }, ...entries]);
      const built = await engine.tryDocker(['build', '-t', 'evil:1', '-'], { input });
      if (built.status === 0) await docker('rmi', 'evil:1');
      await docker('builder', 'prune', '-af');
      await unharmed();
      await assertTraces(engine, base);
    }
  });

  test('no docker cp leaves the container, running or stopped', async () => {
    const base = await settledTraces(engine);
    await docker('run', '-d', '--name', 'target', 'busybox', 'sleep', '100');
    for (const state of ['running', 'exited']) {
      for (const [what, entries] of hostile()) {
        const input = tar(entries);
        const copied = await engine.tryDocker(['cp', '-', 'target:/srv'], { input });
        if (copied.status !== 0) assert.match(copied.stderr, /\S{3}/, what);
        await unharmed();
      }
      assert.equal(await docker('inspect', '--format', '{{.State.Status}}', 'target'), state);
      if (state === 'running') await docker('stop', '-t', '0', 'target');
    }
    await docker('rm', '-f', 'target');
    await assertTraces(engine, base);
  });

  test('truncated archives are refused everywhere', async () => {
    const base = await settledTraces(engine);
    const layer = tar([{ name: 'file', content: Buffer.alloc(300_000, 'x') }]);
    const whole = archiveWith(layer);
    for (const cut of [100, 700, 1800, Math.floor(whole.length / 2)]) {
      const loaded = await engine.tryDocker(['load'], { input: whole.subarray(0, cut) });
      assert.notEqual(loaded.status, 0, `cut at ${String(cut)}: ${loaded.stdout}`);
    }
    const short = archiveWith(layer.subarray(0, 100_000));
    assert.notEqual((await engine.tryDocker(['load'], { input: short })).status, 0);
    const context = tar([
      { name: 'Dockerfile', content: 'FROM busybox\n' },
      { name: 'file', content: Buffer.alloc(300_000, 'x') },
    ]);
    const input = context.subarray(0, 100_000);
    const built = await engine.tryDocker(['build', '-'], { input });
    assert.notEqual(built.status, 0);
    assert.match(built.stderr, /end|truncat|cut|short/i);
    await docker('create', '--name', 'target', 'busybox');
    const copied = await engine.tryDocker(['cp', '-', 'target:/srv'], { input });
    assert.notEqual(copied.status, 0);
    await docker('rm', 'target');
    await unharmed();
    await assertTraces(engine, base);
  });

  test('a layer that is not what its image says is refused by name', async () => {
    const base = await settledTraces(engine);
    const input = archiveWith(tar([{ name: 'a' }]), { diffIds: [`sha256:${'0'.repeat(64)}`] });
    const loaded = await engine.tryDocker(['load'], { input });
    assert.notEqual(loaded.status, 0);
    assert.match(loaded.stderr, /sha256:/);
    await assertTraces(engine, base);
  });

  test('deeply nested JSON is refused by what it is', async () => {
    const base = await settledTraces(engine);
    const input = archiveWith(tar([]), { manifest: '['.repeat(1_000_000) });
    const loaded = await engine.tryDocker(['load'], { input });
    assert.notEqual(loaded.status, 0);
    assert.match(loaded.stderr, /manifest\.json/);
    await unharmed();
    await assertTraces(engine, base);
  });

  test('device nodes give no way to the devices of the host', async () => {
    const base = await settledTraces(engine);
    const layer = tar([
      { name: 'kmsg', type: '3', major: 1, minor: 11, mode: 0o666 },
      { name: 'disk', type: '4', major: 8, minor: 0, mode: 0o666 },
    ]);
    const loaded = await engine.tryDocker(['load'], { input: archiveWith(layer) });
    if (loaded.status === 0) {
      await docker('create', '--name', 'target', 'busybox');
      const put = await engine.tryDocker(['cp', '-', 'target:/srv'], { input: layer });
      await docker('rm', 'target');
      await docker('rmi', 'evil:1');
      const context = [
        { name: 'Dockerfile', content: 'FROM busybox\nCOPY . /srv/\nRUN ! cat /srv/disk\n' },
      ];
      const input = Buffer.concat([tar(context, { end: false }), layer]);
      const built = await engine.tryDocker(['build', '-q', '-t', 'evil:1', '-'], { input });
      if (built.status === 0) await docker('rmi', 'evil:1');
      assert.ok(put.status >= 0);
    } else assert.match(loaded.stderr, /device/);
    await docker('builder', 'prune', '-af');
    await unharmed();
    await assertTraces(engine, base);
  });

  test('a gigabyte of zeros in gzip costs bounded memory', { timeout: 240_000 }, async () => {
    const base = await settledTraces(engine);
    const layer = await bomb(GIB);
    assert.ok(layer.length < 16 * 2 ** 20);
    const pid = await engine.pid();
    const loaded = await engine.tryDocker(['load'], {
      input: archiveWith(layer, { diffIds: [`sha256:${'0'.repeat(64)}`] }),
      timeout: 200_000,
    });
    assert.notEqual(loaded.status, 0);
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
    assert.ok(Number(peak?.[1]) < 400_000, `the engine's peak is ${String(peak?.[1])} kB`);
    await unharmed();
    await assertTraces(engine, base);
  });

  test('a helper killed in the middle of an unpack is an error, and the next load works', async () => {
    const base = await settledTraces(engine);
    const load = engine.tryDocker(['load', '-i', archiveOf('node:24-bookworm-slim')]);
    let helpers: number[] = [];
    await until('a layer is unpacked', () => {
      helpers = processesWith('layer unpack', engine.dataRoot).filter(lives);
      return helpers.length > 0;
    });
    await sleep(50);
    for (const pid of helpers) sendSignal(pid, 'SIGKILL');
    const { status, stderr } = await load;
    assert.notEqual(status, 0);
    assert.match(stderr, /SIGKILL|killed|helper/i);
    await unharmed();
    await assertTraces(engine, base);
    await docker('load', '-i', archiveOf('node:24-bookworm-slim'));
    await docker('rmi', 'node:24-bookworm-slim');
    await assertTraces(engine, base);
  });
}
