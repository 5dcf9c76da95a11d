/** The store of layers and images with the real native helper: drafts, imports, load, save, removal, and what start-up puts right. */

import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { chainIds } from '../../src/engine/storage/digest.ts';
import type { Snapshot } from '../../src/engine/storage/types.ts';
import { EngineError } from '../../src/lib/errors.ts';
import { archiveFiles, type ArchiveFiles, archiveOfFiles } from '../support/image-archive.ts';
import {
  assertTidy,
  bytesOf,
  digestOf,
  layerOf,
  makeConfig,
  makeLayer,
  makeTar,
  openRig,
  streamOf,
} from '../support/image-rig.ts';
import type { MadeLayer, Rig } from '../support/image-rig.ts';

const never = new AbortController().signal;
const quiet = { onProgress: () => undefined, signal: never };

function ofKind(kind: string, words: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof EngineError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, words);
    return true;
  };
}

function filesOf(layers: readonly MadeLayer[], name: string): ArchiveFiles {
  const tars = layers.map(({ tar }) => tar);
  return archiveFiles({ name, layers: tars, config: makeConfig(layers) });
}

describe('snapshots', () => {
  let rig: Rig;
  let base: MadeLayer;
  let top: MadeLayer;
  before(async () => {
    rig = await openRig();
    base = await makeLayer({
      'etc/': { dir: true },
      'etc/name': 'base',
      'bin/': { dir: true },
      'bin/sh': { link: 'busybox' },
    });
    top = await makeLayer({ 'etc/': { dir: true }, 'etc/more': 'top', 'etc/.wh.name': '' });
  });
  after(async () => {
    await rig.close();
  });

  test('layers that come in any order get their place bottom first', async () => {
    const { snapshots } = rig;
    const [first, second] = chainIds([base.diffId, top.diffId]);
    const lower = Promise.withResolvers<unknown>();
    const upper = snapshots.importLayer(streamOf(top.gzip), {
      parent: first ?? '',
      expectDigest: top.digest,
      expectDiffId: top.diffId,
      after: lower.promise,
      signal: never,
    });
    lower.resolve(
      await snapshots.importLayer(streamOf(base.gzip), { parent: null, signal: never }),
    );
    assert.equal((await upper).chainId, second);
    const lowers = snapshots.lowers(second ?? '');
    assert.equal(lowers.length, 2);
    assert.equal(readFileSync(join(lowers[1] ?? '', 'etc/name'), 'utf8'), 'base');
    const whiteout = statSync(join(lowers[0] ?? '', 'etc/name'));
    assert.ok(whiteout.isCharacterDevice());
    for (const dir of lowers) assert.equal(statSync(dir).mode & 0o7777, 0o755);
  });

  test('a layer goes out byte for byte as it came', async () => {
    const [first] = chainIds([base.diffId]);
    const tar = await bytesOf(await rig.snapshots.exportLayer(first ?? '', never));
    assert.equal(digestOf(tar), base.diffId);
  });

  test('a draft becomes a layer that can be exported again, and the same content twice is one layer', async () => {
    const { snapshots } = rig;
    const [parent] = chainIds([base.diffId]);
    const made: Snapshot[] = [];
    while (made.length < 2) {
      const draft = await snapshots.draft(parent ?? '');
      assert.equal(statSync(draft.upper).mode & 0o7777, 0o755);
      mkdirSync(join(draft.upper, 'srv'), { mode: 0o755 });
      writeFileSync(join(draft.upper, 'srv/file'), 'built here');
      for (const name of ['srv/file', 'srv', '.']) utimesSync(join(draft.upper, name), 1, 1);
      made.push(await snapshots.commit(draft));
    }
    const [one, two] = made;
    assert.ok(one !== undefined);
    assert.equal(one.chainId, two?.chainId);
    assert.equal(one.blob, null);
    const tar = await bytesOf(await snapshots.exportLayer(one.chainId, never));
    assert.equal(digestOf(tar), one.diffId);
    assert.equal(tar.length, one.diffSize);
    await assertNoStrays(rig);
  });

  test('a layer with another digest than promised is refused and leaves nothing', async () => {
    const count = rig.snapshots.all().length;
    const other = await makeLayer({ file: 'other' });
    await assert.rejects(
      rig.snapshots.importLayer(streamOf(other.gzip), {
        parent: null,
        expectDigest: base.digest,
        signal: never,
      }),
      ofKind('invalid', /digest/),
    );
    await assert.rejects(
      rig.snapshots.importLayer(streamOf(other.gzip.subarray(0, -20)), {
        parent: null,
        signal: never,
      }),
      (error) => error instanceof EngineError,
    );
    assert.equal(rig.snapshots.all().length, count);
    await assertNoStrays(rig);
  });

  test('an aborted import leaves nothing', async () => {
    const abort = new AbortController();
    async function* endless(): AsyncGenerator<Buffer> {
      yield base.tar.subarray(0, 1024);
      abort.abort();
      await new Promise((resolve) => setTimeout(resolve, 50));
      yield base.tar.subarray(1024, 1536);
    }
    const { Readable } = await import('node:stream');
    const stream = Readable.from(endless(), { objectMode: false });
    await assert.rejects(rig.snapshots.importLayer(stream, { parent: null, signal: abort.signal }));
    await assertNoStrays(rig);
  });

  test('a sweep keeps what is needed, leased or below a draft', async () => {
    const { snapshots } = rig;
    const [first, second] = chainIds([base.diffId, top.diffId]);
    const lease = snapshots.lease();
    lease.add(second ?? '');
    await snapshots.sweep(new Set());
    assert.deepEqual(
      snapshots
        .all()
        .map((one) => one.chainId)
        .sort(),
      [first, second].sort(),
    );
    lease.release();
    const draft = await snapshots.draft(first ?? '');
    await snapshots.sweep(new Set());
    assert.deepEqual(
      snapshots.all().map((one) => one.chainId),
      [first],
    );
    await snapshots.discard(draft);
    assert.ok((await snapshots.sweep(new Set())) > 0);
    await snapshots.idle();
    assert.deepEqual(readdirSync(rig.places.snapshotsDir), []);
    assert.deepEqual(await rig.blobs.all(), []);
  });
});

/** As assertTidy, for layers that no image names. */
async function assertNoStrays(rig: Rig): Promise<void> {
  await rig.snapshots.idle();
  const dirs = rig.snapshots
    .all()
    .map((one) => one.dir.split('/').at(-2) ?? '')
    .sort();
  assert.deepEqual(readdirSync(rig.places.snapshotsDir).sort(), dirs);
  assert.deepEqual(readdirSync(rig.places.tmpDir), []);
  const blobs = rig.snapshots
    .all()
    .flatMap((one) => (one.blob === null ? [] : [one.blob.digest]))
    .sort();
  assert.deepEqual((await rig.blobs.all()).sort(), blobs);
}

describe('start-up', () => {
  test('left-over drafts go and complete layers stay after a kill', async () => {
    const rig = await openRig();
    const layer = await makeLayer({ file: 'kept' });
    await rig.snapshots.importLayer(streamOf(layer.tar), { parent: null, signal: never });
    const draft = await rig.snapshots.draft(layer.diffId);
    writeFileSync(join(draft.upper, 'half'), 'made');
    rig.crash();
    const again = await openRig({ root: rig.root });
    await again.snapshots.idle();
    assert.equal(existsSync(draft.upper), false);
    assert.equal(again.snapshots.get(layer.diffId)?.diffId, layer.diffId);
    await again.close();
  });

  test('after a power cut layers that no sync covered go with the images upon them', async () => {
    const rig = await openRig({ bootId: 'one' });
    const safe = await makeLayer({ file: 'safe' });
    const doubtful = await makeLayer({ file: 'doubtful' });
    await rig.snapshots.importLayer(streamOf(safe.gzip), { parent: null, signal: never });
    await rig.images.create(makeConfig([safe]), { tags: ['safe:1'] });
    await rig.snapshots.flush();
    await rig.snapshots.importLayer(streamOf(doubtful.gzip), {
      parent: safe.diffId,
      signal: never,
    });
    await rig.images.create(makeConfig([safe, doubtful]), { tags: ['doubtful:1'] });
    rig.crash();
    const again = await openRig({ root: rig.root, bootId: 'two' });
    assert.deepEqual(
      again.images.list().map((image) => image.tags),
      [['safe:1']],
    );
    assert.match(again.warnings.join('\n'), /doubtful:1/);
    await assertTidy(again);
    await again.close();
  });

  test('without a new boot nothing unsynced is lost', async () => {
    const rig = await openRig({ bootId: 'one' });
    const layer = await makeLayer({ file: 'content' });
    await rig.snapshots.importLayer(streamOf(layer.gzip), { parent: null, signal: never });
    await rig.images.create(makeConfig([layer]), { tags: ['app'] });
    rig.crash();
    const again = await openRig({ root: rig.root, bootId: 'one' });
    assert.deepEqual(
      again.images.list().map((image) => image.tags),
      [['app:latest']],
    );
    await again.close();
  });

  test('a row whose directory is gone goes with its image', async () => {
    const rig = await openRig();
    const layer = await makeLayer({ file: 'content' });
    const snapshot = await rig.snapshots.importLayer(streamOf(layer.gzip), {
      parent: null,
      signal: never,
    });
    await rig.images.create(makeConfig([layer]), { tags: ['app'] });
    rig.crash();
    rmSync(snapshot.dir, { recursive: true });
    const again = await openRig({ root: rig.root });
    assert.deepEqual(again.images.list(), []);
    await assertTidy(again);
    await again.close();
  });
});

describe('load and save', () => {
  let rig: Rig;
  let layers: MadeLayer[];
  before(async () => {
    rig = await openRig();
    layers = [
      await makeLayer({ 'a/': { dir: true }, 'a/one': '1' }),
      await makeLayer({ two: { size: 300_000 } }),
    ];
  });
  after(async () => {
    await rig.close();
  });

  for (const [how, compress] of [
    ['plain', (data: Buffer) => data],
    ['gzip', (data: Buffer) => gzipSync(data)],
    ['zstd', (data: Buffer) => zstdCompressSync(data)],
  ] as const) {
    test(`a docker archive (${how}) loads and says its name`, async () => {
      const archive = compress(archiveOfFiles(filesOf(layers, `app:${how}`)));
      const lines: string[] = [];
      const images = await rig.images.load(streamOf(archive), {
        onProgress: (line) => lines.push(line.stream ?? ''),
        signal: never,
      });
      assert.ok(rig.images.get(`app:${how}`).tags.includes(`app:${how}`));
      assert.equal(images.length, 1);
      assert.ok(lines.includes(`Loaded image: app:${how}\n`));
      await assertTidy(rig);
    });
  }

  test('what was saved loads elsewhere with the same ids, tags and layers', async () => {
    const saved = await bytesOf(await rig.images.save(['app'], never));
    const other = await openRig();
    await other.images.load(streamOf(saved), quiet);
    assert.deepEqual(other.images.get('app:gzip').tags, ['app:gzip', 'app:plain', 'app:zstd']);
    assert.equal(other.images.get('app:gzip').id, rig.images.get('app:gzip').id);
    const again = await bytesOf(await other.images.save(['app'], never));
    assert.equal(digestOf(again), digestOf(saved), 'saving is deterministic');
    await assertTidy(other);
    await other.close();
  });

  test('an OCI layout without manifest.json loads by its index', async () => {
    const saved = await bytesOf(await rig.images.save(['app:gzip'], never));
    const { extract, pack } = await import('tar-stream');
    const from = extract();
    const to = pack();
    streamOf(saved).pipe(from);
    for await (const entry of from) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk);
      if (['manifest.json', 'repositories'].includes(entry.header.name)) continue;
      to.entry(entry.header, Buffer.concat(chunks));
    }
    to.finalize();
    const other = await openRig();
    const chunks: Buffer[] = [];
    for await (const chunk of to as AsyncIterable<Buffer>) chunks.push(chunk);
    await other.images.load(streamOf(Buffer.concat(chunks)), quiet);
    assert.deepEqual(
      other.images.list().map((image) => image.tags),
      [['app:gzip']],
    );
    await other.close();
  });

  test('a layer that stands twice in a chain is placed twice', async () => {
    const [first, second] = layers;
    assert.ok(first !== undefined && second !== undefined);
    const files = filesOf([first, second, first], 'twice:1');
    assert.equal(Object.keys(files).length, 4);
    await rig.images.load(streamOf(archiveOfFiles(files)), quiet);
    assert.equal(rig.snapshots.lowers(rig.images.get('twice:1').chainId).length, 3);
    await assertTidy(rig);
  });

  const hostile: [string, (files: ArchiveFiles) => void, string, RegExp][] = [
    [
      'no manifest',
      (files) => delete files['manifest.json'],
      'invalid',
      /neither manifest.json nor index.json/,
    ],
    [
      'a config that is not there',
      (files) => delete files['config.json'],
      'invalid',
      /config.json/,
    ],
    [
      'a layer that is not there',
      (files) => delete files['1/layer.tar'],
      'invalid',
      /1\/layer.tar/,
    ],
    [
      'names outside the archive',
      (files) => {
        files['manifest.json'] = JSON.stringify([
          { Config: '../../../etc/passwd', RepoTags: null, Layers: [] },
        ]);
      },
      'invalid',
      /etc\/passwd/,
    ],
    [
      'layers in the wrong order',
      (files) => {
        files['manifest.json'] = JSON.stringify([
          { Config: 'config.json', RepoTags: null, Layers: ['1/layer.tar', '0/layer.tar'] },
        ]);
      },
      'invalid',
      /its image says/,
    ],
    [
      'a malformed tag',
      (files) => {
        files['manifest.json'] = JSON.stringify([
          { Config: 'config.json', RepoTags: ['UPPER:1'], Layers: ['0/layer.tar', '1/layer.tar'] },
        ]);
      },
      'invalid',
      /invalid reference format/,
    ],
    [
      'JSON without end',
      (files) => {
        files['manifest.json'] = '['.repeat(100_000);
      },
      'invalid',
      /nested deeper/,
    ],
    [
      'a blob under a wrong name',
      (files) => {
        files[`blobs/sha256/${'0'.repeat(64)}`] = '{}';
      },
      'invalid',
      /is not what its name says/,
    ],
  ];
  for (const [what, spoil, kind, words] of hostile) {
    test(`an archive with ${what} is refused and leaves nothing`, async () => {
      const other = await openRig();
      const files = filesOf(layers, 'bad:1');
      spoil(files);
      await assert.rejects(
        other.images.load(streamOf(archiveOfFiles(files)), quiet),
        ofKind(kind, words),
      );
      assert.deepEqual(other.images.list(), []);
      assert.deepEqual(other.snapshots.all(), []);
      await assertTidy(other);
      await other.close();
    });
  }

  test('a layer that leaves the root does not: its entries land inside or are refused', async () => {
    const other = await openRig();
    const evil = await makeTar({
      x: { link: '/tmp' },
      'x/pinnace-evil': 'out',
      '../pinnace-evil': 'out',
    });
    await other.images
      .load(streamOf(archiveOfFiles(filesOf([layerOf(evil)], 'evil:1'))), quiet)
      .catch(() => undefined);
    assert.equal(existsSync('/tmp/pinnace-evil'), false);
    assert.equal(existsSync(join(other.places.snapshotsDir, 'pinnace-evil')), false);
    await assertTidy(other);
    await other.close();
  });

  test('a truncated archive and an aborted load leave nothing', async () => {
    const archive = archiveOfFiles(filesOf(layers, 'cut:1'));
    const other = await openRig();
    await assert.rejects(
      other.images.load(streamOf(archive.subarray(0, archive.length / 2)), quiet),
      ofKind('invalid', /./),
    );
    const abort = new AbortController();
    const loading = other.images.load(streamOf(archive, 512), {
      onProgress: () => abort.abort(),
      signal: abort.signal,
    });
    await assert.rejects(loading, ofKind('cancelled', /cancelled/));
    assert.deepEqual(other.snapshots.all(), []);
    await assertTidy(other);
    await other.close();
  });

  test('import makes one layer with the changes in its configuration', async () => {
    const tar = gzipSync(await makeTar({ 'bin/': { dir: true }, 'bin/app': 'x' }));
    const image = await rig.images.import(streamOf(tar), {
      tag: 'rootfs:1',
      changes: ['CMD ["/bin/app"]', 'ENV A=b', 'EXPOSE 80', 'LABEL x=y', 'WORKDIR /srv'],
      signal: never,
    });
    assert.deepEqual(image.config.config, {
      Cmd: ['/bin/app'],
      Env: ['A=b'],
      ExposedPorts: { '80/tcp': {} },
      Labels: { x: 'y' },
      WorkingDir: '/srv',
    });
    assert.deepEqual(rig.images.get('rootfs:1').id, image.id);
    await assert.rejects(
      rig.images.import(streamOf(tar), { changes: ['RUN true'], signal: never }),
      ofKind('invalid', /RUN/),
    );
    await assertTidy(rig);
  });
});

describe('names and removal', () => {
  let rig: Rig;
  let layer: MadeLayer;
  before(async () => {
    rig = await openRig();
    layer = await makeLayer({ file: 'content' });
  });
  after(async () => {
    await rig.close();
  });
  async function make(tag: string): Promise<string> {
    await rig.snapshots.importLayer(streamOf(layer.gzip), { parent: null, signal: never });
    return (await rig.images.create(makeConfig([layer]), { tags: [tag] })).id;
  }

  test('an image is found by every form of its name', async () => {
    const id = await make('app:1');
    for (const name of [
      'app:1',
      'docker.io/library/app:1',
      id,
      id.slice(7),
      id.slice(7, 15),
      id.slice(0, 20),
    ]) {
      assert.equal(rig.images.find(name)?.id, id, name);
    }
    assert.equal(rig.images.find('app'), undefined);
    assert.throws(() => rig.images.get('app'), ofKind('not-found', /^No such image: app:latest$/));
    assert.throws(() => rig.images.find('App'), ofKind('invalid', /must be lowercase/));
    await assert.rejects(
      async () => rig.images.tag('app:1', `other@${id}`),
      ofKind('invalid', /digest reference/),
    );
  });

  test('removing one of two names only untags', async () => {
    await rig.images.tag('app:1', 'app:2');
    assert.deepEqual(await rig.images.remove('app:2', { force: false, prune: true }), [
      { Untagged: 'app:2' },
    ]);
  });

  test('a name in use cannot go without force, a running container not even with it', async () => {
    const id = rig.images.get('app:1').id;
    rig.users.set(id, [{ id: 'c'.repeat(64), running: false }]);
    await assert.rejects(
      rig.images.remove('app:1', { force: false, prune: true }),
      ofKind(
        'conflict',
        /^conflict: unable to remove repository reference "app:1" \(must force\) - container cccccccccccc is using its referenced image [0-9a-f]{12}$/,
      ),
    );
    await assert.rejects(
      rig.images.remove(id, { force: false, prune: true }),
      ofKind(
        'conflict',
        /\(must be forced\) - image is being used by stopped container cccccccccccc$/,
      ),
    );
    rig.users.set(id, [{ id: 'c'.repeat(64), running: true }]);
    await assert.rejects(
      rig.images.remove(id, { force: true, prune: true }),
      ofKind('conflict', /\(cannot be forced\) - image is being used by running container/),
    );
    rig.users.clear();
  });

  test('an id with names in two repositories must be forced', async () => {
    const { id } = rig.images.get('app:1');
    await rig.images.tag('app:1', 'other:1');
    await assert.rejects(
      rig.images.remove(id, { force: false, prune: true }),
      ofKind('conflict', /referenced in multiple repositories/),
    );
    await rig.images.remove('other:1', { force: false, prune: true });
  });

  test('the last name takes the image and its layers along', async () => {
    const { id } = rig.images.get('app:1');
    const records = await rig.images.remove('app:1', { force: false, prune: true });
    assert.deepEqual(records, [{ Untagged: 'app:1' }, { Deleted: id }, { Deleted: layer.diffId }]);
    assert.deepEqual(rig.images.list(), []);
    await assertTidy(rig);
    assert.deepEqual(readdirSync(rig.places.snapshotsDir), []);
  });

  test('layers that a container needs stay when its image is forced away', async () => {
    const id = await make('used:1');
    rig.needed.add(layer.diffId);
    await rig.images.remove(id, { force: true, prune: true });
    assert.ok(rig.snapshots.get(layer.diffId) !== undefined);
    rig.needed.clear();
    assert.ok((await rig.images.sweep()) > 0);
  });
});
