/** Whose the files of a bind-mounted folder are, with HostConfig.PinnaceOwner: the person's on the host, the container's user's inside; in every mode, on the real kernel. */

import assert from 'node:assert/strict';
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { ContainersApi } from '../../src/client/api/containers.ts';
import { Transport } from '../../src/client/api/transport.ts';
import { FILE_HEADER } from '../../src/lib/api/files.ts';
import type { FileEntry } from '../../src/lib/api/files.ts';
import { makeContext } from '../support/build.ts';
import { command, startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';

/** Somebody who opened a folder on a machine whose engine runs as root. */
const PERSON = 4321;

for (const mode of ['system', 'rootless'] as const)
  describe(`owners in mode ${mode}`, () => owners(mode));

describe('owners in mode single-id', () => {
  test('there is one id: everything that is made in the folder belongs to the person', async () => {
    const engine = await startTestEngine('single-id');
    const transport = new Transport({ socketPath: engine.address.slice('unix://'.length) });
    try {
      await engine.docker('load', '-i', archiveOf('busybox:latest'));
      const home = engine.user?.home ?? '';
      const workspace = join(home, 'ws');
      mkdirSync(workspace);
      const { uid, gid } = statSync(home);
      chownSync(workspace, uid, gid);
      const containers = new ContainersApi(transport);
      const { Id } = await containers.create('dev', {
        Image: 'busybox',
        Cmd: ['sh', '-c', 'echo x > /ws/made'],
        User: '1000',
        HostConfig: { Binds: [`${workspace}:/ws`], PinnaceOwner: { Uid: 1000, Gid: 1000 } },
      });
      await containers.start(Id);
      await engine.docker('wait', 'dev');
      const made = statSync(join(workspace, 'made'));
      assert.deepEqual([made.uid, made.gid], [uid, gid]);
    } finally {
      transport.close();
      assert.deepEqual(await engine.close(), [], 'nothing is left behind');
    }
  });
});

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

  test('docker cp, diff, files and commit show owners as the container does', async () => {
    await engine.docker('exec', '-u', '0', 'dev', 'sh', '-c', 'echo 1 > /by-root; chown 7 /srv');
    await run('sh', '-c', 'echo 2 > /tmp/by-node');
    const owner = async (path: string): Promise<number> => {
      const answer = await transport.open('pinnace.file-stat', {
        query: { container: 'dev', path },
      });
      answer.resume();
      const header = String(answer.headers[FILE_HEADER.toLowerCase()]);
      return (JSON.parse(Buffer.from(header, 'base64').toString()) as FileEntry).uid;
    };
    const check = async (state: string): Promise<void> => {
      assert.deepEqual(
        [await owner('/by-root'), await owner('/tmp/by-node'), await owner('/bin')],
        [0, 1000, 0],
        state,
      );
    };
    await check('running');
    await engine.docker('cp', `${workspace}/src/mine`, 'dev:/copied');
    const changes = (await engine.docker('diff', 'dev')).split('\n');
    assert.ok(changes.includes('A /by-root') && changes.includes('A /tmp/by-node'));
    assert.ok(!changes.some((line) => line.includes('/bin')), 'the image is no change');
    await engine.docker('commit', 'dev', 'dev:committed');
    const kept = await engine.docker(
      'run',
      '--rm',
      '-u',
      '0',
      'dev:committed',
      'stat',
      '-c',
      '%u',
      '/by-root',
      '/tmp/by-node',
      '/srv',
    );
    assert.equal(kept, '0\n1000\n7', 'an ordinary container of the committed image agrees');
    await engine.docker('stop', '-t', '0', 'dev');
    await check('stopped');
    await transport.send('pinnace.file-write', {
      query: { container: 'dev', path: '/by-root' },
      body: Readable.from([Buffer.from('edited')]),
    });
    await check('written while it was stopped');
    await engine.docker('start', 'dev');
    assert.equal(await run('stat', '-c', '%u', '/by-root', '/tmp/by-node'), '0\n1000');
    assert.equal(await run('cat', '/by-root'), 'edited');
  });

  test('volumes, networks and an engine that is started again go on as ever', async () => {
    const containers = new ContainersApi(transport);
    const { Id } = await containers.create('other', {
      Image: 'dev',
      Cmd: ['sh', '-c', 'while true; do echo served | nc -l -p 80; done'],
      User: '0',
      HostConfig: {
        Binds: [`${workspace}:/ws`, 'vol:/vol', 'copied:/srv'],
        PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] },
        PinnaceOwner: { Uid: 1000, Gid: 1000 },
      },
    });
    await containers.start(Id);
    const inside = (...words: string[]): Promise<string> =>
      engine.docker('exec', 'other', ...words);
    assert.equal(await inside('stat', '-c', '%u', '/vol', '/srv'), '0\n1000');
    await inside('sh', '-c', 'echo y > /vol/y');
    const port = /:(\d+)$/m.exec(await engine.docker('port', 'other', '80'))?.[1] ?? '';
    let served = '';
    // The server inside may not listen yet.
    for (const until = Date.now() + 10_000; served === '' && Date.now() < until;)
      served = (await command(['/bin/busybox', 'nc', '-w', '2', '127.0.0.1', port])).stdout.trim();
    assert.equal(served, 'served');
    process.kill(await engine.pid(), 'SIGKILL');
    await engine.start();
    assert.equal(await inside('stat', '-c', '%u', '/ws/src/mine'), '1000');
    await engine.docker('rm', '-f', 'other');
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
