/** The files of containers as the editor sees them, on our engine and on Docker's: running, stopped, without any program. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { parseAddress } from '../../src/client/api/addresses.ts';
import { ArchiveTree } from '../../src/client/files/archive.ts';
import { StandIns } from '../../src/client/files/stand-ins.ts';
import { openTree } from '../../src/client/files/open.ts';
import { download, upload } from '../../src/client/files/transfer.ts';
import { collect, listAll, type Tree } from '../../src/client/files/tree.ts';
import { EngineError } from '../../src/lib/errors.ts';
import { startDockerd } from '../support/dockerd.ts';
import { command, startTestEngine } from '../support/engine.ts';

const SETUP = [
  'mkdir -p /d/sub/deep /d/own && cd /d && echo hello > a.txt && chmod 640 a.txt',
  'chown 12:34 a.txt own && ln -s sub way && ln -s a.txt alink && ln -s nowhere lost && mkfifo pipe',
  'touch "$(printf \'line\\nbreak\')" "$(printf \'bad\\377name\')" " blank "',
  'echo x > sub/deep/x && chmod 750 own',
].join(' && ');

interface Rig {
  readonly address: string;
  close(): Promise<void>;
}

const RIGS: readonly (readonly [string, () => Promise<Rig>])[] = [
  [
    'our engine',
    async () => {
      const engine = await startTestEngine('system');
      const close = async (): Promise<void> => assert.deepEqual(await engine.close(), []);
      return { address: engine.address, close };
    },
  ],
  [
    "Docker's engine",
    async () => {
      const dir = mkdtempSync('/tmp/h6-dockerd-');
      const dockerd = await startDockerd(dir);
      assert.ok(dockerd !== undefined, 'dockerd does not start: apt-get install docker.io');
      const close = async (): Promise<void> => {
        await dockerd.stop();
        rmSync(dir, { recursive: true, force: true });
      };
      return { address: dockerd.address, close };
    },
  ],
];

const bytes = async (tree: Tree, path: string): Promise<string> =>
  (
    await collect(await tree.read(path), 1e6, () => new EngineError('invalid', 'too large'))
  ).toString();
const content = (text: string) => ({
  body: Readable.from([Buffer.from(text)]),
  size: Buffer.byteLength(text),
});
const transfer = { signal: new AbortController().signal, onFile: () => undefined };

for (const [name, start] of RIGS)
  describe(`files of containers on ${name}`, () => {
    let rig: Rig;
    let client: Client;
    const ids = { running: '', stopped: '', bare: '' };
    const docker = async (...args: string[]): Promise<string> => {
      const env = { DOCKER_HOST: rig.address };
      const { status, stdout, stderr } = await command(['docker', ...args], { env });
      assert.equal(status, 0, stderr);
      return stdout.trim();
    };
    const tree = (id: string): Tree => new ArchiveTree({ containers: client.containers, id });

    before(async () => {
      await makeImages(['busybox:latest']);
      rig = await start();
      client = createClient(parseAddress(rig.address));
      await client.negotiate();
      await docker('load', '-i', archiveOf('busybox:latest'));
      const run = ['run', '-d', '--network', 'none', 'busybox'];
      ids.running = await docker(...run, 'sh', '-c', `${SETUP}; touch /ready; exec sleep 600`);
      ids.stopped = await docker('run', '-d', '--network', 'none', 'busybox', 'sh', '-c', SETUP);
      await docker('wait', ids.stopped);
      while (
        (
          await command(['docker', 'exec', ids.running, 'test', '-e', '/ready'], {
            env: { DOCKER_HOST: rig.address },
          })
        ).status !== 0
      );
    });

    after(async () => {
      for (const id of [ids.running, ids.stopped]) await docker('rm', '-f', '-v', id);
      client.close();
      await rig.close();
    });

    for (const state of ['running', 'stopped'] as const) {
      test(`a folder of a ${state} container is listed with types, sizes and links`, async () => {
        const found = new Map<string, string>();
        for await (const { name: entry, type, size, mode, targetType } of listAll(
          tree(ids[state]),
          '/d',
        ))
          found.set(
            entry,
            [type, type === 'file' ? size : '', (mode & 0o777).toString(8), targetType]
              .join(' ')
              .trim(),
          );
        assert.equal(found.get('a.txt'), 'file 6 640');
        assert.equal(found.get('own'), 'directory  750');
        assert.equal(found.get('way'), 'symlink  777 directory');
        assert.equal(found.get('alink'), 'symlink  777 file');
        assert.equal(found.get('lost'), 'symlink  777');
        assert.equal(found.get('line\nbreak'), 'file 0 644');
        assert.equal(found.get(' blank '), 'file 0 644');
        assert.match(found.get('pipe') ?? '', /^fifo/);
        assert.equal([...found.keys()].filter((key) => key.startsWith('bad')).length, 1);
      });

      test(`the root of a ${state} container is listed`, async () => {
        const { entries } = await tree(ids[state]).list('/');
        const names = entries.map((entry) => entry.name);
        assert.ok(
          names.includes('bin') && names.includes('d') && names.includes('etc'),
          names.join(),
        );
        const page = await tree(ids[state]).list('/', { limit: 2 });
        assert.equal(page.entries.length, 2);
        const second = await tree(ids[state]).list('/', { limit: 1, after: page.next ?? '' });
        assert.equal(second.entries[0]?.name, names[2]);
      });

      test(`a file of a ${state} container is read, also through links`, async () => {
        assert.equal(await bytes(tree(ids[state]), '/d/a.txt'), 'hello\n');
        assert.equal(await bytes(tree(ids[state]), '/d/alink'), 'hello\n');
        assert.equal(await bytes(tree(ids[state]), '/d/way/deep/x'), 'x\n');
        await assert.rejects(bytes(tree(ids[state]), '/d/sub'), { kind: 'invalid' });
        await assert.rejects(bytes(tree(ids[state]), '/d/none'), { kind: 'not-found' });
        await assert.rejects(bytes(tree(ids[state]), '/d/lost'), { kind: 'not-found' });
      });

      test(`a file of a ${state} container keeps its owner and mode when it is written`, async () => {
        const own = tree(ids[state]);
        await own.write('/d/a.txt', content('second'));
        assert.equal(await bytes(own, '/d/a.txt'), 'second');
        assert.equal((await own.stat('/d/a.txt')).mode, 0o640);
        await own.write('/d/alink', content('third'));
        assert.equal((await own.stat('/d/alink')).type, 'symlink');
        assert.equal(await bytes(own, '/d/a.txt'), 'third');
        await own.write('/d/own/new', content(''));
        for (const file of ['own/new', 'a.txt']) {
          const script = `docker cp ${ids[state]}:/d/${file} - | tar -tv --numeric-owner`;
          const env = { DOCKER_HOST: rig.address };
          assert.match((await command(['sh', '-c', script], { env })).stdout, / 12\/34 /);
        }
        await own.write('/d/a.txt', content('hello\n'));
      });

      test(`folders are made and copied both ways in a ${state} container`, async () => {
        const own = tree(ids[state]);
        await own.makeFolder('/d/made');
        await assert.rejects(own.makeFolder('/d/made'), { kind: 'conflict' });
        const dir = mkdtempSync(join(tmpdir(), 'pinnace-files-'));
        mkdirSync(join(dir, 'in/below'), { recursive: true });
        writeFileSync(join(dir, 'in/below/one'), '1'.repeat(100_000));
        writeFileSync(join(dir, 'in/empty'), '');
        symlinkSync('/', join(dir, 'in/loop'));
        const up = await upload(own, join(dir, 'in'), '/d/made', transfer);
        assert.equal(up.files, 2);
        assert.match(up.left.join(), /loop \(a link\)/);
        await download(own, '/d/made/in', join(dir, 'out'), transfer);
        assert.equal(readFileSync(join(dir, 'out/below/one'), 'utf8'), '1'.repeat(100_000));
        const down = await download(own, '/d', join(dir, 'all'), transfer);
        assert.match(down.left.join('\n'), /bad.*cannot be written/);
        assert.match(down.left.join('\n'), /pipe \(a fifo\)/);
        assert.ok(existsSync(join(dir, 'all/sub/deep/x')));
        await assert.rejects(download(own, '/d/a.txt', join(dir, 'all/a.txt'), transfer), /EEXIST/);
        rmSync(dir, { recursive: true });
      });
    }

    test('files of a running container are renamed and deleted, and nothing is replaced', async () => {
      const own = tree(ids.running);
      await own.write('/d/-rf', content('x'));
      await own.rename('/d/-rf', '/d/sub/moved');
      await assert.rejects(own.rename('/d/sub/moved', '/d/a.txt'), { kind: 'conflict' });
      await assert.rejects(own.remove('/d/sub', { recursive: false }), { kind: 'conflict' });
      await own.remove('/d/sub/moved', { recursive: false });
      await assert.rejects(own.stat('/d/sub/moved'), { kind: 'not-found' });
      await own.makeFolder('/d/gone');
      await own.write('/d/gone/x', content('x'));
      await own.remove('/d/gone', { recursive: true });
      await own.remove('/d/lost', { recursive: false });
      await assert.rejects(own.stat('/d/gone'), { kind: 'not-found' });
    });

    test('what needs a running container says so', async () => {
      const own = tree(ids.stopped);
      await assert.rejects(own.remove('/d/a.txt', { recursive: false }), {
        kind: 'not-implemented',
        message: /start it first/,
      });
    });

    test('a container that is gone is not found', async () => {
      const own = await openTree(
        client,
        { kind: 'container', id: 'f'.repeat(64) },
        { routes: false, standIns: new StandIns(client) },
      );
      await assert.rejects(own.stat('/'), { kind: 'not-found' });
      await assert.rejects(own.list('/'), { kind: 'not-found' });
    });
  });
