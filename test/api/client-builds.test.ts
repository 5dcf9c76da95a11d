/** A build as the editor runs it, on our engine and on Docker's classic builder: the same steps, failures and cancellations. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Client, createClient } from '../../src/client/api/client.ts';
import type { BuildRequest } from '../../src/extension/build/request.ts';
import { runBuild, type RunningBuild } from '../../src/extension/build/run.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startTestEngine } from '../support/engine.ts';
import { until } from '../support/traces.ts';

const folder = mkdtempSync('/tmp/pinnace-client-builds-');
after(() => rmSync(folder, { recursive: true, force: true }));
copyFileSync('/bin/busybox', join(folder, 'busybox'));

const BASE = 'FROM scratch AS tools\nCOPY busybox /bin/sh\nFROM tools\n';

function requestFor(name: string, text: string, more: Partial<BuildRequest> = {}): BuildRequest {
  const dockerfile = join(folder, name);
  writeFileSync(dockerfile, text);
  const plain = { target: '', tags: [], args: {}, platform: '', noCache: false, pull: false };
  return { dockerfile, context: folder, ...plain, ...more };
}

interface Side {
  readonly name: string;
  readonly hasRecords: boolean;
  readonly start: () => Promise<{ socketPath: string; close: () => Promise<void> }>;
}

const SIDES: readonly Side[] = [
  {
    name: 'our engine',
    hasRecords: true,
    start: async () => {
      const engine = await startTestEngine('system');
      const close = async (): Promise<void> => assert.deepEqual(await engine.close(), []);
      return { socketPath: engine.address.replace('unix://', ''), close };
    },
  },
  {
    name: "Docker's engine",
    hasRecords: false,
    start: async () => {
      const dir = mkdtempSync('/tmp/pinnace-dockerd-');
      const dockerd = await startDockerd(dir);
      assert.ok(dockerd, 'install docker.io: its dockerd is needed');
      const close = async (): Promise<void> => {
        await dockerd.stop();
        rmSync(dir, { recursive: true, force: true });
      };
      return { socketPath: dockerd.address.replace('unix://', ''), close };
    },
  },
];

for (const side of SIDES) {
  describe(`a build of the editor on ${side.name}`, () => {
    let client: Client;
    let close: () => Promise<void>;
    before(async () => {
      const started = await side.start();
      close = started.close;
      client = createClient({ socketPath: started.socketPath });
      await client.negotiate();
    });
    after(async () => {
      client.close();
      await close();
    });

    const build = (
      request: BuildRequest,
      signal = new AbortController().signal,
      onText: (text: string) => void = () => undefined,
    ): Promise<RunningBuild> =>
      runBuild({
        id: 'one',
        client,
        hasRecords: side.hasRecords,
        request,
        signal,
        now: Date.now,
        onAdvance: (_build, changes) => changes.forEach(({ text }) => onText(text)),
      });

    test('tells each step with its lines and log, and the image', async () => {
      const text = `${BASE}ARG WHO\nRUN echo hello $WHO && \\\n    echo again\n`;
      const args = { WHO: 'you' };
      const run = await build(requestFor('Good', text, { tags: ['good:1'], args }));
      const { record } = run;
      assert.equal(record.status, 'succeeded');
      assert.match(record.image, /^(sha256:)?[0-9a-f]{12,64}$/);
      const seen = record.stepList.map(({ number, startLine, endLine, stageName }) =>
        [number, startLine, endLine, stageName].join(' '),
      );
      assert.deepEqual(seen, ['1 1 1 tools', '2 2 2 tools', '3 3 3 ', '4 4 4 ', '5 5 6 ']);
      assert.equal(run.logOf(4), 'hello you\nagain\n');
      assert.deepEqual(record.argNames, ['WHO']);
      assert.equal((await client.images.inspect('good:1')).RepoTags[0], 'good:1');
    });

    test('takes what is there from the cache', async () => {
      const { record } = await build(requestFor('Again', `${BASE}RUN echo other\n`));
      assert.equal(record.stepList[1]?.outcome, 'cached');
      assert.ok(record.cached >= 1);
    });

    test('fails on the line of the step, or of the mistake', async () => {
      const failed = await build(requestFor('Bad', `${BASE}RUN echo oh && exit 9\n`));
      assert.equal(failed.record.status, 'failed');
      assert.equal(failed.record.error?.line, 4);
      assert.match(failed.record.error.message, /non-zero code: 9/);
      assert.equal(failed.logOf(3), 'oh\n');
      const mistake = await build(requestFor('Worse', 'FROM scratch\nCOPPY a b\n'));
      assert.equal(mistake.record.status, 'failed');
      assert.equal(mistake.record.error?.line, 2);
    });

    test('is cancelled and leaves neither image nor container', async () => {
      const abort = new AbortController();
      const request = requestFor('Slow', `${BASE}RUN echo begun && sleep 600\n`, {
        tags: ['no:1'],
      });
      const run = await build(request, abort.signal, (text) => {
        if (text.includes('begun')) abort.abort();
      });
      assert.equal(run.record.status, 'cancelled');
      assert.equal(run.record.error?.line ?? null, null);
      assert.equal(run.record.stepList.at(-1)?.outcome, 'cancelled');
      await assert.rejects(client.images.inspect('no:1'));
      // Docker ends the container some moments after it is told.
      await until('no container of the build runs', async () => {
        const left = await client.containers.list({ filters: { status: ['running'] } });
        return left.length === 0;
      });
    });

    test('says what is missing before it begins', async () => {
      const { record } = await build({
        ...requestFor('X', BASE),
        dockerfile: join(folder, 'none'),
      });
      assert.equal(record.status, 'failed');
      assert.match(record.error?.message ?? '', /none/);
    });
  });
}
