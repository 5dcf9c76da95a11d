/** What the engine remembers of builds, and foretells: real builds by the stock command line and by our client, and the routes of /pinnace/builds. */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { Transport } from '../../src/client/api/transport.ts';
import { ImagesApi } from '../../src/client/api/images.ts';
import { buildContext } from '../../src/client/build/context.ts';
import type { BuildPlan, BuildRecord, BuildSummary } from '../../src/lib/api/builds.ts';
import { makeContext, type Context, type Files } from '../support/build.ts';
import { startTestEngine, type TestEngine } from '../support/engine.ts';

const DOCKERFILE = [
  'FROM busybox AS tools',
  'RUN echo tools && echo made > /tool',
  'FROM busybox',
  'ARG GREETING=hello',
  'WORKDIR /srv',
  'COPY first.txt second.txt \\',
  '  ./',
  'RUN echo $GREETING; cat first.txt',
  'COPY --from=tools /tool /tool',
  'LABEL a=b',
  '',
].join('\n');

describe('the records of builds', () => {
  let engine: TestEngine;
  let transport: Transport;
  const contexts: Context[] = [];
  const context = (files: Files): Context => {
    const made = makeContext(engine, files);
    contexts.push(made);
    return made;
  };
  const list = (): Promise<BuildSummary[]> => transport.json('pinnace.builds');
  const record = (id: string): Promise<BuildRecord> =>
    transport.json('pinnace.build', { params: { id } });
  const newest = async (): Promise<BuildRecord> => record((await list())[0]?.id ?? '');
  const build = async (
    made: Context,
    options: { noCache?: boolean; buildArgs?: Record<string, string>; tags?: string[] } = {},
  ): Promise<BuildRecord> => {
    const lines = new ImagesApi(transport).build(
      buildContext(made.dir).tar,
      {
        tags: ['recorded'],
        recordContext: made.dir,
        recordDockerfile: `${made.dir}/Dockerfile`,
        ...options,
      },
      {},
    );
    try {
      for await (const line of lines) assert.ok(line);
    } catch {
      // The record tells how it failed.
    }
    return newest();
  };
  const outcomes = ({ stepList }: BuildRecord): string[] => stepList.map(({ outcome }) => outcome);

  before(async () => {
    engine = await startTestEngine('system');
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
    transport = new Transport({ socketPath: engine.address.slice('unix://'.length) });
  });
  after(async () => {
    transport.close();
    for (const made of contexts) made.remove();
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  test('a build is remembered step by step: lines, stage, time, size, log and why it ran', async () => {
    const made = context({ Dockerfile: DOCKERFILE, 'first.txt': '1\n', 'second.txt': '2\n' });
    const first = await build(made, { buildArgs: { GREETING: 'secret-value' } });
    assert.equal(first.status, 'succeeded');
    assert.equal(first.context, made.dir);
    assert.equal(first.dockerfile, `${made.dir}/Dockerfile`);
    assert.deepEqual(first.tags, ['recorded:latest']);
    assert.deepEqual(first.argNames, ['GREETING']);
    assert.match(first.image, /^sha256:/);
    assert.ok(first.durationMs > 0);
    assert.deepEqual(new Set(outcomes(first)), new Set(['ran']));
    const copy = first.stepList.find(({ text }) => text.startsWith('COPY first'));
    assert.equal(copy?.startLine, 6);
    assert.equal(copy.endLine, 7);
    assert.equal(copy.stage, 1);
    assert.equal(copy.size, 4);
    const run = first.stepList.find(({ text }) => text.startsWith('RUN echo $'));
    assert.equal(run?.logTail, 'secret-value\n1\n');
    assert.equal(run.reason?.code, 'first');
    assert.ok(run.ms > 0);
    assert.equal(first.stepList[0]?.stageName, 'tools');
    const log = await transport.open('pinnace.build-log', {
      params: { id: first.id },
      query: { step: run.index },
    });
    assert.equal(Buffer.concat(await log.toArray()).toString(), 'secret-value\n1\n');
    const stored = JSON.stringify({ ...first, stepList: first.stepList.map((s) => s.text) });
    assert.ok(!stored.includes('secret-value'), 'no value of an argument is kept');
  });

  test('a step that ran tells which of its inputs changed, and a cached one keeps its time', async () => {
    const made = context({ Dockerfile: DOCKERFILE, 'first.txt': '1\n', 'second.txt': '2\n' });
    const first = await build(made);
    const again = await build(made);
    assert.deepEqual(new Set(outcomes(again)), new Set(['cached']));
    assert.equal(again.cached, again.steps);
    const ran = (one: BuildRecord) =>
      one.stepList.find(({ text }) => text.startsWith('RUN echo $'));
    assert.equal(ran(again)?.ms, ran(first)?.ms);
    assert.equal(ran(again)?.logTail, 'hello\n1\n');
    made.write({ 'second.txt': 'changed\n' });
    const files = await build(made);
    const copy = files.stepList.find(({ text }) => text.startsWith('COPY first'));
    assert.deepEqual([copy?.reason?.code, copy?.reason?.changed], ['files', ['second.txt']]);
    assert.equal(ran(files)?.reason?.code, 'earlier-step');
    assert.equal(files.stepList[0]?.outcome, 'cached');
    const args = await build(made, { buildArgs: { GREETING: 'bye' } });
    assert.deepEqual(ran(args)?.reason?.changed, ['GREETING']);
    const fresh = await build(made, { noCache: true });
    assert.equal(ran(fresh)?.reason?.code, 'no-cache');
    made.write({ Dockerfile: DOCKERFILE.replace('cat first.txt', 'cat second.txt') });
    const edited = await build(made);
    const rewritten = edited.stepList.find(({ text }) => text.includes('cat second.txt'));
    assert.deepEqual(rewritten?.reason?.changed, ['text']);
  });

  test('a failing build names the line and the step, and a broken Dockerfile its line', async () => {
    const made = context({ Dockerfile: 'FROM busybox\nRUN true\nRUN echo no; exit 3\nRUN true\n' });
    const failed = await build(made);
    assert.equal(failed.status, 'failed');
    assert.equal(failed.error?.line, 3);
    assert.match(failed.error.message, /returned a non-zero code: 3/);
    assert.deepEqual(outcomes(failed), ['ran', 'failed', 'skipped']);
    assert.equal(failed.stepList[1]?.logTail, 'no\n');
    made.write({ Dockerfile: 'FROM busybox\nBOGUS x\n' });
    const broken = await build(made);
    assert.equal(broken.error?.line, 2);
    assert.deepEqual(broken.stepList, []);
  });

  test('a cancelled build is remembered as cancelled', async () => {
    const made = context({ Dockerfile: 'FROM busybox\nRUN sleep 60\n' });
    const stop = new AbortController();
    const running = engine.tryDocker(['build', made.dir], { signal: stop.signal });
    let live: BuildSummary | undefined;
    while (live === undefined)
      live = (await list()).find(({ status, steps }) => status === 'running' && steps > 0);
    await assert.rejects(
      transport.send('pinnace.build-forget', { params: { id: live.id } }),
      /is under way/,
    );
    stop.abort();
    await running;
    while ((await record(live.id)).status === 'running') continue;
    assert.equal((await record(live.id)).status, 'cancelled');
  });

  test('a record can be forgotten, and what is not there says so', async () => {
    const id = (await list())[0]?.id ?? '';
    await transport.send('pinnace.build-forget', { params: { id } });
    await assert.rejects(record(id), new RegExp(`No such build: ${id}`));
    await assert.rejects(
      transport.open('pinnace.build-log', { params: { id: 'x' } }),
      /No such build/,
    );
  });

  test('records outlive the engine', async () => {
    const before = await list();
    await engine.pinnace('engine', 'stop');
    await engine.start();
    assert.deepEqual(await list(), before);
  });

  test('the plan tells before a build what the cache has', async () => {
    const made = context({ Dockerfile: DOCKERFILE, 'first.txt': 'p\n', 'second.txt': 'q\n' });
    const plan = (dockerfile: string, more: object = {}): Promise<BuildPlan> =>
      transport.json('pinnace.build-plan', {
        json: { dockerfile, path: `${made.dir}/Dockerfile`, context: made.dir, ...more },
      });
    const cached = ({ steps }: BuildPlan): string[] => steps.map((step) => step.cached);
    assert.equal((await plan(DOCKERFILE)).steps[0]?.cached, 'yes');
    await build(made);
    const after = await plan(DOCKERFILE);
    const copy = after.steps.find(({ text }) => text.startsWith('COPY first'));
    assert.equal(copy?.cached, 'if-unchanged');
    assert.equal(copy.size, 4);
    assert.equal(copy.endLine, 7);
    assert.ok(!cached(after).includes('unknown') && !cached(after).includes('no'));
    const changed = await plan(DOCKERFILE.replace('echo $GREETING', 'echo new'));
    assert.equal(changed.steps.find(({ text }) => text.includes('echo new'))?.cached, 'no');
    const other = await plan(DOCKERFILE, { buildArgs: { GREETING: 'never' } });
    assert.equal(other.steps.find(({ text }) => text.includes('$GREETING'))?.cached, 'no');
    const away = await plan('FROM absent.example/image\nRUN true\n');
    assert.deepEqual(away.missingImages, ['absent.example/image']);
    assert.equal(away.steps[0]?.cached, 'unknown');
    assert.match((await plan('FROM busybox\nBOGUS\n')).problem ?? '', /line 2/);
  });

  test('paths that are none are refused', async () => {
    const made = context({ Dockerfile: 'FROM busybox\n' });
    const lines = new ImagesApi(transport).build(buildContext(made.dir).tar, {
      recordContext: 'x',
    });
    await assert.rejects(lines.next(), /pinnace.context is not an absolute path/);
  });
});
