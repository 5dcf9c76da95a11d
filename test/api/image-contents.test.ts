/** What images hold, read from the archives of our engine and of Docker's: layers, waste, differences. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { parseAddress } from '../../src/client/api/addresses.ts';
import { type Client, createClient } from '../../src/client/api/client.ts';
import { readArchive, readImage } from '../../src/client/files/image-archive.ts';
import { differences, survey } from '../../src/lib/image/contents.ts';
import { startDockerd } from '../support/dockerd.ts';
import { command, startTestEngine } from '../support/engine.ts';

interface Rig {
  readonly address: string;
  close(): Promise<void>;
}

const RIGS: readonly (readonly [string, (dir: string) => Promise<Rig>])[] = [
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
    async (dir) => {
      const dockerd = await startDockerd(join(dir, 'dockerd'));
      assert.ok(dockerd !== undefined, 'dockerd does not start: apt-get install docker.io');
      return { address: dockerd.address, close: () => dockerd.stop() };
    },
  ],
];

const FIRST = `FROM busybox
RUN mkdir /d && head -c 200000 /dev/zero > /d/big && echo one > /d/text
RUN rm /d/big && echo more >> /d/text
CMD ["first"]
`;
const SECOND = FIRST.replace('echo more', 'echo other').replace('first', 'second');

for (const [name, start] of RIGS)
  describe(`contents of images on ${name}`, () => {
    let dir: string;
    let rig: Rig;
    let client: Client;
    const signal = new AbortController().signal;

    before(async () => {
      await makeImages(['busybox:latest']);
      dir = mkdtempSync('/tmp/pinnace-contents-');
      rig = await start(dir);
      client = createClient(parseAddress(rig.address));
      await client.negotiate();
      const env = { DOCKER_HOST: rig.address, DOCKER_BUILDKIT: '0' };
      const load = ['docker', 'load', '-i', archiveOf('busybox:latest')];
      assert.equal((await command(load, { env })).status, 0);
      for (const [tag, text] of [
        ['shop:1', FIRST],
        ['shop:2', SECOND],
      ] as const) {
        const context = join(dir, tag);
        mkdirSync(context);
        writeFileSync(join(context, 'Dockerfile'), text);
        const build = ['docker', 'build', '-q', '--network', 'none', '-t', tag, context];
        const built = await command(build, { env });
        assert.equal(built.status, 0, built.stderr);
      }
    });

    after(async () => {
      client.close();
      await rig.close();
      rmSync(dir, { recursive: true, force: true });
    });

    test('each layer tells what it adds, and what a later one wastes', async () => {
      const found = survey(await readImage(client, 'shop:1', { signal, digests: false }));
      assert.equal(found.layers.length, 3);
      const [, made, removed] = found.layers;
      assert.match(made?.instruction.created_by ?? '', /mkdir \/d/);
      assert.deepEqual(made?.added.map(({ path }) => path).sort(), ['d', 'd/big', 'd/text']);
      assert.deepEqual(removed?.deleted, ['d/big']);
      assert.deepEqual(
        removed.changed.map(({ path }) => path),
        ['d/text'],
      );
      assert.deepEqual(
        found.waste.map(({ path, bytes, how }) => [path, bytes, how]),
        [
          ['d/big', 200_000, 'deleted'],
          ['d/text', 4, 'replaced'],
        ],
      );
      assert.ok(found.seen.get('bin/busybox') !== undefined);
    });

    test('images of the same files but one differ by it alone', async () => {
      const options = { signal, digests: true };
      const left = await readImage(client, 'shop:1', options);
      const right = await readImage(client, 'shop:2', options);
      assert.deepEqual(left.layers[0]?.diffId, right.layers[0]?.diffId);
      assert.deepEqual(right.config.config?.Cmd, ['second']);
      const files = differences(survey(left).seen, survey(right).seen);
      assert.deepEqual(
        files.map(({ path, kind, what }) => [path, kind, what]),
        [['d/text', 'changed', 'content']],
      );
    });

    test('an image that is not there is not found, and a reading is cancelled', async () => {
      await assert.rejects(readImage(client, 'nobody:1', { signal, digests: false }), {
        kind: 'not-found',
      });
      const abort = new AbortController();
      const reading = readImage(client, 'shop:1', {
        signal: abort.signal,
        digests: false,
        onBytes: () => abort.abort(),
      });
      await assert.rejects(reading, { kind: 'cancelled' });
    });
  });

describe('archives of images', () => {
  const config = JSON.stringify({ rootfs: { diff_ids: ['sha256:1', 'sha256:2', 'sha256:3'] } });
  const names = ['one/layer.tar', 'blobs/two', 'blobs/three'];
  const manifest = JSON.stringify([{ Config: 'c.json', Layers: names }]);

  test('layers are read plain, compressed, and where one is a link to another', async () => {
    const layer = await tar([['etc/x', 'content']]);
    const archive = await tar([
      ['one/layer.tar', { link: '../two/layer.tar' }],
      ['two/layer.tar', layer],
      ['blobs/two', gzipSync(layer)],
      ['blobs/three', zstdCompressSync(layer)],
      ['VERSION', '1.0'],
      ['c.json', config],
      ['manifest.json', manifest],
    ]);
    const { layers } = await readArchive(Readable.from([archive]), { digests: false });
    assert.deepEqual(
      layers.map(({ diffId, entries }) => [diffId, entries.map(({ path }) => path)]),
      [
        ['sha256:1', ['etc/x']],
        ['sha256:2', ['etc/x']],
        ['sha256:3', ['etc/x']],
      ],
    );
  });

  test('an archive that is none of an image is refused', async () => {
    const layer = await tar([['x', 'y']]);
    for (const [files, why] of [
      [[['x', 'y']], /no manifest\.json/],
      [[['manifest.json', '[]']], /names no image/],
      [[['manifest.json', '{']], /not JSON/],
      [[['manifest.json', manifest]], /no c\.json/],
      [
        [
          ['manifest.json', manifest],
          ['c.json', config],
          ['one/layer.tar', layer],
        ],
        /no layer blobs\/two/,
      ],
    ] as const) {
      const reading = readArchive(Readable.from([await tar(files)]), { digests: false });
      await assert.rejects(reading, { kind: 'invalid', message: why });
    }
    const broken = gzipSync(layer).subarray(0, 60);
    const cut = await tar([['blobs/two', Buffer.concat([broken, Buffer.alloc(600, 1)])]]);
    await assert.rejects(readArchive(Readable.from([cut]), { digests: false }));
  });
});

type Content = string | Buffer | { readonly link: string };

async function tar(files: readonly (readonly [string, Content])[]): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of files)
    if (typeof content === 'object' && 'link' in content)
      archive.entry({ name, type: 'symlink', linkname: content.link });
    else archive.entry({ name }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}
