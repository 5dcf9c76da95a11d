/** Builds that are cancelled, killed, doubled or hostile: nothing half-made is left, and the next build works. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveOf } from '../../scripts/lib/images.ts';
import { builtId, cachedSteps, makeContext, type Context, type Files } from '../support/build.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';
import { post } from '../support/post.ts';
import { lives, processesWith, until } from '../support/traces.ts';

describe('docker build that goes wrong', () => {
  let engine: TestEngine;
  const contexts: Context[] = [];
  const context = (files: Files): Context => {
    const made = makeContext(engine, files);
    contexts.push(made);
    return made;
  };
  /** Folders of builds, shims of their steps, and layers that no row names yet. */
  const traces = (): { builds: string[]; shims: string[]; layers: number } => ({
    builds: readdirSync(join(engine.dataRoot, 'tmp')).filter((name) => name.startsWith('build-')),
    shims: readdirSync(join(engine.runRoot, 'shims')).filter((name) => name.startsWith('build-')),
    layers: readdirSync(join(engine.dataRoot, 'snapshots')).length,
  });
  const settled = async (layers: number): Promise<void> => {
    for (let tries = 0; tries < 1200; tries++) {
      const left = traces();
      if (left.builds.length + left.shims.length === 0 && left.layers === layers) return;
      await sleep(50);
    }
    assert.deepEqual(traces(), { builds: [], shims: [], layers });
  };
  const running = async (): Promise<void> => {
    for (let tries = 0; tries < 3000; tries++) {
      if (traces().shims.length > 0) return;
      await sleep(20);
    }
    throw new Error('the step never ran');
  };

  before(async () => {
    engine = await startTestEngine('system');
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
  });
  after(async () => {
    for (const made of contexts) made.remove();
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('a client that goes away stops the step and leaves nothing', async () => {
    const { layers } = traces();
    const made = context({ Dockerfile: 'FROM busybox\nRUN touch /x; sleep 60\n' });
    const abort = new AbortController();
    const build = made.build([], { signal: abort.signal });
    await running();
    await sleep(100);
    abort.abort();
    await build;
    await settled(layers);
  });

  test('a failing stage stops the one beside it', async () => {
    const { layers } = traces();
    const made = context({
      Dockerfile:
        'FROM busybox AS slow\nRUN sleep 60; touch /s\nFROM busybox\nRUN sleep 0.3; exit 3\nCOPY --from=slow /s /\n',
    });
    const started = performance.now();
    const { status, stderr } = await made.build();
    assert.notEqual(status, 0);
    assert.match(stderr, /returned a non-zero code: 3/);
    assert.ok(performance.now() - started < 55_000);
    await settled(layers);
  });

  test('a step that fails leaves no layer and no cache entry', async () => {
    const { layers } = traces();
    const made = context({ Dockerfile: 'FROM busybox\nRUN touch /half; exit 1\n' });
    await made.build();
    await settled(layers);
    assert.equal(cachedSteps((await made.build()).stdout), 0);
  });

  test('an engine killed in the middle of a build clears it at the next start, and the build works then', async () => {
    const { layers } = traces();
    const made = context({
      Dockerfile:
        'FROM busybox\nRUN echo kept > /k && sleep 0.3\nRUN if [ -f /ctx/go ]; then true; else sleep 64.2; fi\n',
    });
    const build = made.build();
    await until('the second step runs', () => processesWith('sleep 64.2').some(lives));
    process.kill(await engine.pid(), 'SIGKILL');
    await build;
    await engine.start();
    await settled(layers + 1);
    made.write({ Dockerfile: 'FROM busybox\nRUN echo kept > /k && sleep 0.3\nRUN true\n' });
    assert.ok(cachedSteps(await made.built()) >= 1);
  });

  test('two builds of the same thing at once run each step once', async () => {
    const made = context({
      Dockerfile: 'FROM busybox\nRUN sleep 1 && head -c 16 /dev/urandom > /once\n',
    });
    const [one, two] = await Promise.all([made.built(), made.built()]);
    assert.equal(builtId(one), builtId(two));
    assert.equal(cachedSteps(one) + cachedSteps(two), 1);
  });

  test('a cancelled build does not spoil the one that waits for its step', async () => {
    const made = context({ Dockerfile: 'FROM busybox\nRUN sleep 1 && echo done > /d\n' });
    const abort = new AbortController();
    const first = made.build([], { signal: abort.signal });
    await running();
    const second = made.built();
    await sleep(200);
    abort.abort();
    await first;
    assert.match(await second, /Successfully built/);
  });

  test('a rebuild without the cache is never mixed with older layers', async () => {
    const made = context({
      Dockerfile: 'FROM busybox\nRUN head -c 8 /dev/urandom > /r\nRUN cp /r /copy\n',
    });
    await made.built('-t', 'mixed');
    made.write({ Dockerfile: 'FROM busybox\nRUN head -c 8 /dev/urandom > /r\nRUN exit 1\n' });
    await made.build(['--no-cache']);
    made.write({ Dockerfile: 'FROM busybox\nRUN head -c 8 /dev/urandom > /r\nRUN cp /r /copy\n' });
    await made.built('-t', 'mixed');
    assert.equal(await engine.docker('run', '--rm', 'mixed', 'cmp', '/r', '/copy'), '');
  });

  test('output without end is clipped, not kept', async () => {
    const made = context({
      Dockerfile: 'FROM busybox\nRUN head -c 50000000 /dev/zero | tr "\\0" "x"\n',
    });
    const text = await made.built();
    assert.match(text, /\[output clipped: more than 32 MiB\]/);
    assert.ok(text.length < 40_000_000);
  });

  test('a context that is no archive, or half of one, is refused and leaves nothing', async () => {
    const { layers } = traces();
    const hostile = await engine.tryDocker(['build', '-'], { input: 'FROM busybox\nRUN exit 5\n' });
    assert.match(
      hostile.stderr,
      /returned a non-zero code: 5/,
      'a bare Dockerfile on standard input works',
    );
    const body = Buffer.concat([Buffer.from('Dockerfile'), Buffer.alloc(200)]);
    const half = await post(engine.address, { path: '/build', body });
    assert.ok(half.status >= 400 || half.text.includes('"error"'), half.text);
    await settled(layers);
  });
});
