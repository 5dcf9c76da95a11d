/** Running a stage and opening a shell in it: what is built, which shell is taken, and that nothing is left of what failed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, test } from 'node:test';
import { EngineError } from '../../../lib/errors.ts';
import { SERVICE } from '../../build/service.ts';
import { fakeDesk } from '../fake-desk.ts';
import { runStage, shellInStage } from './stage.ts';

const root = mkdtempSync('/tmp/pinnace-stage-commands-');
after(() => rmSync(root, { recursive: true, force: true }));
const dockerfile = join(root, 'Dockerfile');
writeFileSync(dockerfile, 'FROM a AS one\nRUN x\nFROM one\nRUN y\n');
const asset = join(root, 'busybox');
writeFileSync(asset, 'program');

const argument = { dockerfile, target: 'one' };
const folders = [{ name: 'w', path: root }];
const builds =
  (image: string | undefined) =>
  (id: string): unknown =>
    id === SERVICE.build ? image : undefined;

/** An engine whose containers have these programs; `calls` is what was done with containers. */
function engine(programs: readonly string[], failing: readonly string[] = []) {
  const calls: string[] = [];
  const call = (line: string): void => {
    calls.push(line);
    if (failing.includes(line.split(' ')[0] ?? '')) throw new EngineError('internal', 'no');
  };
  let count = 0;
  const containers = {
    create: (
      _: unknown,
      { Entrypoint, HostConfig }: { Entrypoint: string[]; HostConfig: object },
    ) => {
      count += 1;
      call(`create ${Entrypoint.join(' ')} ${JSON.stringify(HostConfig)}`);
      return Promise.resolve({ Id: `c${String(count)}` });
    },
    remove: (id: string) => {
      call(`remove ${id}`);
      return Promise.resolve();
    },
    archiveStat: (_: string, path: string) =>
      programs.includes(path)
        ? Promise.resolve({ mode: 0o755, linkTarget: '' })
        : Promise.reject(new EngineError('not-found', path)),
    archiveGet: () => Promise.reject(new EngineError('not-found', '/etc/passwd')),
    archivePut: (id: string, place: string, tar: Readable) => {
      tar.resume();
      call(`put ${id} ${place}`);
      return Promise.resolve();
    },
    inspect: (id: string) => Promise.resolve({ Name: `/named-${id}` }),
    attach: () => Promise.reject(new EngineError('unavailable', 'attached')),
  };
  const images = {
    inspect: () => Promise.resolve({ Config: {} }),
    list: () => Promise.resolve([{ Id: 'sha256:one', RepoTags: [] }]),
  };
  return { calls, client: { containers, images } };
}

const OWN = '{"AutoRemove":true}';

describe('Run Stage', () => {
  test('builds the stage without a name and hands the image on', async () => {
    const { client } = engine([]);
    const desk = fakeDesk({ client, folders, execute: builds('sha256:one') });
    const journal = await desk.run(runStage, [], argument);
    assert.deepEqual(
      journal.filter((line) => !line.startsWith('execute')),
      [],
    );
    const [build = '', run = ''] = journal;
    assert.match(build, /build\.build .*"target":"one","tags":\[\]/);
    assert.match(run, /pinnace\.image\.run .*"kind":"image","id":"sha256:one"/);
    assert.equal(desk.workspaceMemory.get(`build.${dockerfile}`), undefined);
  });

  test('stops when the build failed, waits for trust, and says that the image is gone', async () => {
    const failed = fakeDesk({ folders, execute: builds(undefined) });
    assert.equal((await failed.run(runStage, [], argument)).length, 1);
    const untrusted = fakeDesk({ folders, untrusted: true });
    await assert.rejects(untrusted.run(runStage, [], argument), /trust/);
    const { client } = engine([]);
    const gone = fakeDesk({ client, folders, execute: builds('sha256:two') });
    await assert.rejects(gone.run(runStage, [], argument), /sha256:two is gone/);
  });
});

describe('Open Shell in Stage', () => {
  const open = async (programs: readonly string[], failing: readonly string[] = []) => {
    const { client, calls } = engine(programs, failing);
    const desk = fakeDesk({ client, folders, execute: builds('sha256:one') });
    const run = { ...desk, asset: () => asset };
    try {
      await shellInStage.run(run, [], argument);
    } catch (error) {
      calls.push(String(error));
    }
    return { calls, terminals: desk.terminals.map(({ name }) => name) };
  };

  test("takes the image's own shell", async () => {
    const { calls, terminals } = await open(['/bin/sh']);
    assert.deepEqual(calls, [`create /bin/sh ${OWN}`]);
    assert.deepEqual(terminals, ['named-c1']);
  });

  test('takes the better one where there is one', async () => {
    const { calls, terminals } = await open(['/bin/sh', '/bin/bash']);
    assert.deepEqual(calls, [`create /bin/sh ${OWN}`, 'remove c1', `create /bin/bash ${OWN}`]);
    assert.deepEqual(terminals, ['named-c2']);
  });

  test('brings one to an image that has none', async () => {
    const { calls, terminals } = await open([]);
    assert.deepEqual(calls, [
      `create /bin/sh ${OWN}`,
      'remove c1',
      `create /busybox-pinnace-shell sh ${OWN}`,
      'put c2 /',
    ]);
    assert.deepEqual(terminals, ['named-c2']);
  });

  test('leaves no container behind when that fails', async () => {
    const { calls, terminals } = await open([], ['put']);
    assert.equal(calls.at(-2), 'remove c2');
    assert.match(calls.at(-1) ?? '', /takes no shell/);
    assert.deepEqual(terminals, []);
  });
});
