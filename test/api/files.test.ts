/** Single files of containers, images and volumes through /pinnace/files, in every mode, with hostile trees; and the shell that needs nothing of the container. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../scripts/lib/images.ts';
import { ContainersApi } from '../../src/client/api/containers.ts';
import { Transport } from '../../src/client/api/transport.ts';
import type { QueryValue } from '../../src/client/api/transport.ts';
import { FILE_HEADER } from '../../src/lib/api/files.ts';
import type { FileEntry, FileList, FileTree } from '../../src/lib/api/files.ts';
import { startTestEngine, type EngineMode, type TestEngine } from '../support/engine.ts';

for (const mode of ['system', 'rootless', 'single-id'] as const)
  describe(`files in mode ${mode}`, () => files(mode));

function files(mode: EngineMode): void {
  let engine: TestEngine;
  let transport: Transport;
  type More = Readonly<Record<string, QueryValue>>;
  const query = (tree: FileTree, path: string, more: More = {}) => ({
    query: { ...tree, path, ...more },
  });
  const list = (tree: FileTree, path: string, more: More = {}): Promise<FileList> =>
    transport.json('pinnace.files-list', query(tree, path, more));
  const names = async (tree: FileTree, path: string): Promise<string[]> =>
    (await list(tree, path)).entries.map(({ name }) => name);
  const stat = async (tree: FileTree, path: string): Promise<FileEntry> => {
    const answer = await transport.open('pinnace.file-stat', query(tree, path));
    answer.resume();
    const header = String(answer.headers[FILE_HEADER.toLowerCase()]);
    return JSON.parse(Buffer.from(header, 'base64').toString()) as FileEntry;
  };
  const read = async (tree: FileTree, path: string, more: More = {}): Promise<string> => {
    const answer = await transport.open('pinnace.file-read', query(tree, path, more));
    return Buffer.concat(await answer.toArray()).toString();
  };
  const write = (tree: FileTree, path: string, text: string, more: More = {}): Promise<unknown> =>
    transport.send('pinnace.file-write', {
      ...query(tree, path, more),
      body: Readable.from([Buffer.from(text)]),
    });
  const call = (
    name: 'pinnace.file-mkdir' | 'pinnace.file-rename' | 'pinnace.file-delete',
    tree: FileTree,
    path: string,
    more: More = {},
  ): Promise<unknown> => transport.send(name, query(tree, path, more));

  before(async () => {
    engine = await startTestEngine(mode);
    await engine.docker('load', '-i', archiveOf('busybox:latest'));
    transport = new Transport({ socketPath: engine.address.slice('unix://'.length) });
    await engine.docker('run', '-d', '--name', 'live', '-v', 'vol:/vol', 'busybox', 'sleep', '1h');
    await engine.docker('run', '--name', 'still', '-v', 'vol:/vol', 'busybox', 'mkdir', '/made');
  });
  after(async () => {
    transport.close();
    assert.deepEqual(await engine.close(), [], 'nothing is left behind');
  });

  for (const container of ['live', 'still']) {
    const tree = { container };
    test(`the tree of the container ${container} is listed, read, written and changed`, async () => {
      const root = await list(tree, '/');
      const etc = root.entries.find(({ name }) => name === 'etc');
      assert.equal(etc?.type, 'directory');
      await write(tree, '/etc/new.conf', 'first\n');
      const made = await stat(tree, '/etc/new.conf');
      assert.deepEqual(
        [made.type, made.size, made.mode, made.uid, made.gid],
        ['file', 6, 0o644, 0, 0],
      );
      assert.ok(Math.abs(made.mtime - Date.now()) < 60_000);
      await write(tree, '/etc/new.conf', 'second\n');
      assert.equal(await read(tree, '/etc/new.conf'), 'second\n');
      assert.equal(await read(tree, '/etc/new.conf', { offset: 2, length: 3 }), 'con');
      await assert.rejects(
        write(tree, '/etc/new.conf', 'x', { overwrite: '0' }),
        /File exists|EEXIST/,
      );
      await assert.rejects(write(tree, '/etc/none', 'x', { create: '0' }), /no such file/);
      await call('pinnace.file-mkdir', tree, '/dir');
      await assert.rejects(call('pinnace.file-mkdir', tree, '/dir'), /EEXIST/);
      await call('pinnace.file-mkdir', tree, '/deep/er/est', { parents: true });
      await write(tree, '/dir/a', 'a');
      await call('pinnace.file-rename', tree, '/dir', { to: '/deep/moved' });
      assert.deepEqual(await names(tree, '/deep'), ['er', 'moved']);
      await write(tree, '/b', 'b');
      await assert.rejects(
        call('pinnace.file-rename', tree, '/b', { to: '/deep/moved/a' }),
        /something of that name/,
      );
      await call('pinnace.file-rename', tree, '/b', { to: '/deep/moved/a', overwrite: true });
      assert.equal(await read(tree, '/deep/moved/a'), 'b');
      await assert.rejects(call('pinnace.file-delete', tree, '/deep'), /not empty/);
      await call('pinnace.file-delete', tree, '/deep', { recursive: true });
      await assert.rejects(stat(tree, '/deep'), /404|no such file/);
      await assert.rejects(read(tree, '/etc'), /it is a folder/);
      await assert.rejects(call('pinnace.file-delete', tree, '/', { recursive: true }), /root/);
    });

    test(`a folder of the image is renamed in the container ${container}, with all that it holds`, async () => {
      const before = await names(tree, '/home');
      await call('pinnace.file-rename', tree, '/home', { to: '/house' });
      assert.deepEqual(await names(tree, '/house'), before);
      await assert.rejects(list(tree, '/home'), /no such file/);
      await call('pinnace.file-rename', tree, '/house', { to: '/home' });
    });

    test(`the volume in the container ${container} is where the volume is`, async () => {
      await write(tree, `/vol/${container}`, 'in the volume');
      assert.equal(await read({ volume: 'vol' }, `/${container}`), 'in the volume');
      await write({ volume: 'vol' }, `/${container}`, 'again');
      assert.equal(await read(tree, `/vol/${container}`), 'again');
    });
  }

  test('mode and owner of a file stay when it is written', async () => {
    const tree = { container: 'live' };
    await engine.docker(
      'exec',
      'live',
      'sh',
      '-c',
      'echo 1 > /own; chown 5:6 /own; chmod 4750 /own',
    );
    const before = await stat(tree, '/own');
    await write(tree, '/own', 'two');
    const now = await stat(tree, '/own');
    assert.deepEqual([now.uid, now.gid], [before.uid, before.gid]);
    assert.equal(now.mode, 0o750, 'the set-id bit goes, as with every write');
    await engine.docker('exec', 'live', 'sh', '-c', 'ln /own /second');
    await write(tree, '/own', 'three');
    assert.equal(await read(tree, '/second'), 'three', 'a file of two names stays one file');
  });

  test('links are shown, followed inside the tree, and never out of it', async () => {
    const secret = mkdtempSync('/tmp/pinnace-secret-');
    writeFileSync(join(secret, 'key'), 'of the host');
    try {
      const script = `ln -s ${secret} /out; ln -s ../../../..${secret}/key /up; ln -s /etc/passwd /in; ln -s nowhere /dangling; mkfifo /fifo; ln -s /proc/1/root /magic`;
      await engine.docker('exec', 'live', 'sh', '-c', script);
      const tree = { container: 'live' };
      for (const path of ['/out/key', '/up'])
        await assert.rejects(read(tree, path), /no such file/);
      await assert.rejects(list(tree, '/out'), /no such file/);
      await assert.rejects(write(tree, '/out/key', 'overwritten'), /no such file|ENOENT/);
      await assert.rejects(call('pinnace.file-delete', tree, '/out/key'), /no such file/);
      assert.match(await read(tree, '/in'), /^root:/);
      const entry = await stat(tree, '/in');
      assert.deepEqual(
        [entry.type, entry.target, entry.targetType],
        ['symlink', '/etc/passwd', 'file'],
      );
      assert.equal((await stat(tree, '/dangling')).targetType, undefined);
      await assert.rejects(read(tree, '/fifo'), /only files can be read/);
      await assert.rejects(write(tree, '/fifo', 'x'), /only files can be written/);
      await assert.rejects(list(tree, '/magic'), /ELOOP|EXDEV|cannot/);
      await call('pinnace.file-delete', tree, '/out', { recursive: true });
      assert.equal(statSync(join(secret, 'key')).size, 11, 'a link is deleted, not what it names');
    } finally {
      rmSync(secret, { recursive: true });
    }
  });

  test('an image is read without a container, and never written', async () => {
    const tree = { image: 'busybox:latest' };
    assert.ok((await names(tree, '/')).includes('bin'));
    assert.match(await read(tree, '/etc/passwd'), /^root:/);
    await assert.rejects(write(tree, '/etc/passwd', 'x'), /an image never changes/);
    await assert.rejects(
      call('pinnace.file-delete', tree, '/etc/passwd'),
      /an image never changes/,
    );
    await assert.rejects(list({ image: 'absent' }, '/'), /No such image/);
    await assert.rejects(list({ container: 'absent' }, '/'), /No such container/);
    await assert.rejects(list({ volume: 'absent' }, '/'), /absent/);
    await assert.rejects(list(tree, 'etc'), /absolute path/);
    await assert.rejects(
      transport.json('pinnace.files-list', { query: { path: '/' } }),
      /exactly one of/,
    );
  });

  test('a read-only mount and a read-only root say so', async () => {
    const host = join(engine.user?.home ?? '/tmp', `readonly-${mode}`);
    mkdirSync(host, { recursive: true });
    await engine.docker('create', '--name', 'ro', '--read-only', '-v', `${host}:/ro:ro`, 'busybox');
    await assert.rejects(write({ container: 'ro' }, '/ro/x', 'x'), /read-only/);
    await assert.rejects(write({ container: 'ro' }, '/x', 'x'), /read-only/);
    rmSync(host, { recursive: true });
  });

  test('a folder of 100,000 entries comes in pages, each at once', async () => {
    await engine.docker(
      'exec',
      'live',
      'sh',
      '-c',
      'mkdir /many; cd /many; seq 100000 | xargs touch',
    );
    const began = performance.now();
    let page = await list({ container: 'live' }, '/many');
    assert.ok(performance.now() - began < 2000, `${String(performance.now() - began)} ms`);
    assert.equal(page.entries.length, 1000);
    const seen = new Set(page.entries.map(({ name }) => name));
    while (page.next !== null) {
      page = await list({ container: 'live' }, '/many', { after: page.next, limit: 10_000 });
      for (const { name } of page.entries) seen.add(name);
    }
    assert.equal(seen.size, 100_000);
    await engine.docker('exec', 'live', 'rm', '-rf', '/many');
  });

  test('the engine brings a shell into an image without any program', async () => {
    const archive = join(engine.user?.home ?? '/tmp', `empty-${mode}.tar`);
    writeFileSync(archive, Buffer.alloc(1024));
    const image = await engine.docker('import', archive, 'empty');
    rmSync(archive);
    assert.match(image, /^sha256:/);
    await engine.docker('create', '--name', 'kept', '--entrypoint', '/pause', 'empty');
    await engine.docker('cp', '/bin/busybox', 'kept:/pause');
    const containers = new ContainersApi(transport);
    await engine.docker('rm', 'kept');
    const bare = await engine.docker(
      'create',
      '--name',
      'bare',
      '--user',
      '1234',
      'empty',
      '/sleep',
      '1h',
    );
    // Its only program sleeps and is no shell.
    await engine.docker('cp', '/bin/busybox', 'bare:/sleep');
    await engine.docker('start', bare);
    const { Id } = await containers.execCreate(bare, {
      PinnaceTool: 'shell',
      Cmd: ['-c', 'echo $0; id -u; ls /; echo > /proc/self/exe || echo sealed'],
      AttachStdout: true,
      AttachStderr: true,
    });
    const { socket } = await containers.execStart(Id, { tty: false });
    const text = Buffer.concat(await socket.toArray()).toString();
    assert.match(text, /sh\n/);
    if (mode !== 'single-id') assert.match(text, /1234\n/);
    assert.match(text, /sleep/);
    assert.match(text, /sealed/);
    const changes = await engine.docker('diff', 'bare');
    assert.ok(!changes.includes('busybox'), 'nothing is written into the container');
    await engine.docker('rm', '-f', 'bare');
  });
}
