/** The files of volumes and images of Docker's engine and of Podman, looked at through containers that are made for it and gone afterwards. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { parseAddress } from '../../src/client/api/addresses.ts';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { STAND_IN_LABEL } from '../../src/client/files/stand-in-mark.ts';
import { StandIns } from '../../src/client/files/stand-ins.ts';
import { openTree } from '../../src/client/files/open.ts';
import { collect, listAll, type Tree, type TreeName } from '../../src/client/files/tree.ts';
import { EngineError } from '../../src/lib/errors.ts';
import { startDockerd } from '../support/dockerd.ts';
import { command } from '../support/engine.ts';
import { startPodman } from '../support/podman.ts';

const BUSYBOX = '/bin/busybox';
interface Rig {
  readonly address: string;
  stop(): Promise<void>;
}

const RIGS: readonly (readonly [string, (dir: string) => Promise<Rig | undefined>])[] = [
  ["Docker's engine", startDockerd],
  ['Podman', startPodman],
];
const MAKE = [
  'mkdir -p /v/d/sub && cd /v/d && echo hello > a.txt && chmod 640 a.txt && chown 12:34 a.txt',
  'ln -s sub way && ln -s /etc out && ln -s a.txt alink && ln -s nowhere lost',
].join(' && ');

for (const [name, start] of RIGS)
  describe(`files of volumes and images on ${name}`, () => {
    let dir: string;
    let rig: Rig;
    let client: Client;
    let standIns: StandIns;

    const docker = async (...args: string[]): Promise<string> => {
      const env = { DOCKER_HOST: rig.address, DOCKER_BUILDKIT: '0' };
      const { status, stdout, stderr } = await command(['docker', ...args], { env });
      assert.equal(status, 0, stderr);
      return stdout.trim();
    };
    const open = (name: TreeName, program = BUSYBOX): Promise<Tree> =>
      openTree(client, name, { routes: false, standIns, program });
    const volume = (id = 'store'): Promise<Tree> => open({ kind: 'volume', id });
    const helping = (): Promise<string> =>
      docker('ps', '-aq', '--no-trunc', '--filter', `label=${STAND_IN_LABEL}`);

    before(async () => {
      await makeImages(['busybox:latest', 'debian:bookworm-slim']);
      dir = mkdtempSync('/tmp/pinnace-trees-');
      const started = await start(dir);
      assert.ok(started !== undefined, `${name} does not start: apt-get install docker.io podman`);
      rig = started;
      client = createClient(parseAddress(rig.address));
      await client.negotiate();
      standIns = new StandIns(client);
      await docker('load', '-i', archiveOf('busybox:latest'));
      await docker('volume', 'create', 'store');
      const mount = ['--rm', '--network', 'none', '-v', 'store:/v'];
      await docker('run', ...mount, 'busybox', 'sh', '-c', MAKE);
    });

    after(async () => {
      await standIns.releaseIdle();
      client.close();
      await rig.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    test('a volume is listed, its links too, and those that lead out of it lead nowhere', async () => {
      const tree = await volume();
      const found = new Map<string, string | undefined>();
      for await (const { name, type, targetType } of listAll(tree, '/d'))
        found.set(name, targetType ?? type);
      assert.deepEqual([...found].sort(), [
        ['a.txt', 'file'],
        ['alink', 'file'],
        ['lost', 'symlink'],
        ['out', 'symlink'],
        ['sub', 'directory'],
        ['way', 'directory'],
      ]);
      await assert.rejects(tree.list('/d/out'), { kind: 'not-found' });
      assert.deepEqual(
        (await tree.list('/')).entries.map(({ name }) => name),
        ['d'],
      );
      await assert.rejects(tree.stat('/etc'), { kind: 'not-found' });
    });

    test('files of a volume are written, renamed and deleted, and keep their owners', async () => {
      const tree = await volume();
      await tree.write('/d/a.txt', content('second'));
      await tree.write('/d/alink', content('third'));
      assert.equal(await text(tree, '/d/a.txt'), 'third');
      await tree.makeFolder('/d/new');
      await tree.write('/d/new/-rf', content('x'));
      await tree.rename('/d/new/-rf', '/d/new/moved');
      await assert.rejects(tree.rename('/d/new/moved', '/d/a.txt'), { kind: 'conflict' });
      await assert.rejects(tree.remove('/d/new', { recursive: false }), { kind: 'conflict' });
      await tree.remove('/d/new', { recursive: true });
      await assert.rejects(tree.stat('/d/new'), { kind: 'not-found' });
      const mount = ['--rm', '--network', 'none', '-v', 'store:/v'];
      const seen = await docker('run', ...mount, 'busybox', 'stat', '-c', '%a %u:%g', '/v/d/a.txt');
      assert.equal(seen, '640 12:34');
    });

    test('a folder of more than a small archive is listed by a program of ours', async () => {
      const mount = ['--rm', '--network', 'none', '-v', 'big:/v'];
      const make = 'cd /v && mkdir d && dd if=/dev/zero of=d/zero bs=1M count=48 && ln -s d way';
      await docker('run', ...mount, 'busybox', 'sh', '-c', make);
      const { entries } = await (await volume('big')).list('/');
      assert.deepEqual(
        entries.map(({ name, type, targetType }) => [name, targetType ?? type]),
        [
          ['d', 'directory'],
          ['way', 'directory'],
        ],
      );
    });

    test('what is asked of a volume or an image that is not there is not found, and makes nothing', async () => {
      await assert.rejects((await volume('nobody')).stat('/'), { kind: 'not-found' });
      assert.doesNotMatch(await docker('volume', 'ls', '-q'), /nobody/);
      const none = await open({ kind: 'image', id: `sha256:${'0'.repeat(64)}` });
      await assert.rejects(none.stat('/'), { kind: 'not-found' });
    });

    test('the files of an image are read, never changed, and its volumes leave none behind', async () => {
      const context = join(dir, 'context');
      mkdirSync(context);
      writeFileSync(join(context, 'x'), 'x\n');
      writeFileSync(join(context, 'Dockerfile'), 'FROM busybox\nCOPY x /own/x\nVOLUME /own\n');
      await docker('build', '-q', '-t', 'volumed', context);
      const before = await docker('volume', 'ls', '-q');
      const [found] = await client.images.list({ filters: { reference: ['volumed'] } });
      const tree = await open({ kind: 'image', id: found?.Id ?? '' });
      if (name === 'Podman') await assert.rejects(text(tree, '/own/x'), /start a container of it/);
      else assert.equal(await text(tree, '/own/x'), 'x\n');
      assert.match(await text(tree, '/etc/passwd'), /^root:/);
      assert.ok((await tree.list('/')).entries.some(({ name }) => name === 'own'));
      await assert.rejects(tree.write('/new', content('x')), { kind: 'forbidden' });
      await assert.rejects(tree.remove('/own', { recursive: true }), { kind: 'forbidden' });
      await standIns.releaseIdle();
      assert.equal(await docker('volume', 'ls', '-q'), before);
      assert.equal(await helping(), '');
    });

    test('a stand-in that somebody prunes is made again, and goes by itself', async () => {
      const tree = await volume();
      await tree.stat('/d');
      await docker('rm', '-f', await helping());
      assert.equal((await tree.stat('/d')).type, 'directory');
      const deadline = performance.now() + 10_000;
      while ((await helping()) !== '') assert.ok(performance.now() < deadline, 'it stays');
      // What holds nothing keeps nobody from removing it.
      await docker('volume', 'create', 'short');
      await (await volume('short')).list('/');
      await standIns.releaseIdle();
      await docker('volume', 'rm', 'short');
    });

    test('what a killed editor left behind is swept, and what lives is not', async () => {
      const script = `
      import { createClient } from '${import.meta.resolve('../../src/client/api/client.ts')}';
      import { parseAddress } from '${import.meta.resolve('../../src/client/api/addresses.ts')}';
      import { StandIns } from '${import.meta.resolve('../../src/client/files/stand-ins.ts')}';
      const client = createClient(parseAddress('${rig.address}'));
      await client.negotiate();
      const standIns = new StandIns(client);
      await standIns.take({ kind: 'volume', id: 'store' });
      process.kill(process.pid, 'SIGKILL');`;
      const file = join(dir, 'killed.ts');
      writeFileSync(file, script);
      const child = spawn(process.execPath, [file], { stdio: 'inherit' });
      await once(child, 'exit');
      const left = await helping();
      assert.match(left, /^[0-9a-f]{64}$/);
      await (await volume()).stat('/');
      const own = (await helping()).split('\n').filter((id) => id !== left);
      await standIns.sweep();
      assert.equal(await helping(), own.join('\n'));
      assert.equal(own.length, 1);
    });

    test('an engine without any image is brought an empty one, which goes with its use', async () => {
      await standIns.releaseIdle();
      const images = (await docker('images', '-q')).split('\n');
      await docker('rmi', '-f', ...new Set(images));
      assert.equal(await docker('images', '-q'), '');
      const tree = await volume();
      assert.equal((await tree.list('/')).entries.length, 1);
      await tree.rename('/d/a.txt', '/d/b.txt');
      await standIns.releaseIdle();
      assert.equal(await docker('images', '-aq'), '');
      assert.equal(await helping(), '');
    });
  });

async function text(tree: Tree, path: string): Promise<string> {
  const bytes = await collect(
    await tree.read(path),
    1e6,
    () => new EngineError('invalid', 'large'),
  );
  return bytes.toString();
}

function content(value: string) {
  return { body: Readable.from([Buffer.from(value)]), size: Buffer.byteLength(value) };
}
