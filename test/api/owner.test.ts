/** Whose the files of a bind-mounted folder are, with HostConfig.PinnaceOwner: the person's on the host, the container's user's inside; in every mode, on the real kernel. */

import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { ContainersApi } from '../../src/client/api/containers.ts';
import { Transport } from '../../src/client/api/transport.ts';
import { makeContext } from '../support/build.ts';
import { startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';

/** Somebody who opened a folder on a machine whose engine runs as root. */
const PERSON = 4321;

for (const mode of ['system'] as const) describe(`owners in mode ${mode}`, () => owners(mode));

function owners(mode: EngineMode): void {
  let engine: TestEngine;
  let transport: Transport;
  let workspace: string;
  const person = (): { uid: number; gid: number } =>
    engine.user === undefined ? { uid: PERSON, gid: PERSON } : statSync(engine.user.home);

  before(async () => {
    engine = await startTestEngine(mode);
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
    transport = new Transport({ socketPath: engine.address.slice('unix://'.length) });
    const made = makeContext(engine, {
      Dockerfile:
        'FROM busybox\nRUN echo node:x:1000:1000::/home/node:/bin/sh >> /etc/passwd; mkdir -p /srv && chown 1000 /srv && echo root > /of-root\nUSER node\n',
    });
    await made.built('-t', 'dev');
    made.remove();
    workspace =
      engine.user === undefined ? mkdtempSync('/tmp/pinnace-ws-') : join(engine.user.home, 'ws');
    mkdirSync(join(workspace, 'src'), { recursive: true });
    writeFileSync(join(workspace, 'src', 'mine'), 'of the person\n');
    const { uid, gid } = person();
    for (const path of ['', 'src', 'src/mine']) chownSync(join(workspace, path), uid, gid);
    const containers = new ContainersApi(transport);
    const { Id } = await containers.create('dev', {
      Image: 'dev',
      Cmd: ['sleep', '1h'],
      HostConfig: { Binds: [`${workspace}:/ws`], PinnaceOwner: { Uid: 1000, Gid: 1000 } },
    });
    await containers.start(Id);
  });
  after(async () => {
    transport.close();
    const left = await engine.close();
    rmSync(workspace, { recursive: true, force: true });
    assert.deepEqual(left, [], 'nothing is left behind');
  });
  const run = (...words: string[]): Promise<string> => engine.docker('exec', 'dev', ...words);

  test("the person's files belong to the container's user inside", async () => {
    assert.equal(await run('stat', '-c', '%u:%g', '/ws', '/ws/src/mine'), '1000:1000\n1000:1000');
  });

  test("what the container's user makes belongs to the person outside", async () => {
    await run(
      'sh',
      '-c',
      'echo x > /ws/made; mkdir /ws/dir; ln -s made /ws/link; echo y >> /ws/src/mine',
    );
    for (const path of ['made', 'dir', 'src/mine']) {
      const { uid, gid } = statSync(join(workspace, path));
      assert.deepEqual({ uid, gid }, { uid: person().uid, gid: person().gid }, path);
    }
  });

  test("the image's files keep their owners, and root is root", async () => {
    const stat = await run('stat', '-c', '%u', '/of-root', '/srv', '/bin');
    assert.equal(stat, '0\n1000\n0');
    assert.equal(await run('id', '-u'), '1000');
    assert.equal(await engine.docker('exec', '-u', '0', 'dev', 'id', '-u'), '0');
    await assert.rejects(run('sh', '-c', 'echo > /of-root'));
    await engine.docker(
      'exec',
      '-u',
      '0',
      'dev',
      'sh',
      '-c',
      'echo again > /of-root; chown 7 /srv',
    );
    assert.equal(await run('stat', '-c', '%u', '/srv'), '7');
  });

  test('ids that are none are refused, naming the member', async () => {
    const containers = new ContainersApi(transport);
    for (const Uid of [-1, 1.5, 2 ** 32 - 1]) {
      const HostConfig = { PinnaceOwner: { Uid, Gid: 0 } };
      await assert.rejects(
        containers.create(undefined, { Image: 'dev', HostConfig }),
        /PinnaceOwner.Uid/,
      );
    }
  });
}
