/** Pulling: from Debian's docker-registry as people use it, and from a registry that lies, breaks, stalls and redirects. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startRegistry } from '../../scripts/lib/registry.ts';
import type { Registry } from '../../scripts/lib/registry.ts';
import { pullImage } from '../../src/engine/images/pull.ts';
import type { ImageAdmitter } from '../../src/engine/images/store.ts';
import type { Image, Progress, PullOptions } from '../../src/engine/images/types.ts';
import { EngineError } from '../../src/lib/errors.ts';
import { command } from '../support/engine.ts';
import { imageArchive } from '../support/image-archive.ts';
import {
  assertTidy,
  bytesOf,
  digestOf,
  layerOf,
  makeConfig,
  makeLayer,
  makeTar,
  openRig,
} from '../support/image-rig.ts';
import type { MadeLayer, Rig } from '../support/image-rig.ts';
import { startLyingRegistry } from '../support/lying-registry.ts';
import type { Lie, LyingRegistry } from '../support/lying-registry.ts';

/** Limits short enough for a test. */
const limits = {
  connectMs: 20_000,
  idleMs: 4000,
  documentMs: 20_000,
  slowMs: 3000,
  slowBytes: 10_000,
  retries: 2,
  retryMs: 10,
};

function pull(rig: Rig, name: string, options: Partial<PullOptions> = {}): Promise<Image> {
  const signal = options.signal ?? new AbortController().signal;
  const onProgress = options.onProgress ?? (() => undefined);
  return pullImage(rig.images as unknown as ImageAdmitter, name, {
    ...options,
    onProgress,
    signal,
    limits,
  });
}

function ofKind(kind: string, words: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof EngineError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, words);
    return true;
  };
}

async function assertEmpty(rig: Rig): Promise<void> {
  assert.deepEqual(rig.images.list(), []);
  assert.deepEqual(rig.snapshots.all(), []);
  await rig.snapshots.idle();
  assert.deepEqual(readdirSync(rig.places.snapshotsDir), []);
  await assertTidy(rig);
}

describe('a registry as people use it', () => {
  let registry: Registry;
  let dir: string;
  let rig: Rig;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'pinnace-registry-'));
    registry = await startRegistry(join(dir, 'registry'));
    const layer = await makeTar({
      'bin/': { dir: true },
      'bin/busybox': { size: 200_000 },
      'bin/sh': { link: 'busybox' },
    });
    const top = await makeTar({ 'etc/': { dir: true }, 'etc/name': 'top' });
    const config = makeConfig([layerOf(layer), layerOf(top)]);
    const archive = imageArchive({ name: 'app:1', layers: [layer, top], config });
    writeFileSync(join(dir, 'app.tar'), archive);
    for (const [format, tag] of [
      ['v2s2', 'docker'],
      ['oci', 'oci'],
    ] as const) {
      const done = await command([
        ...[
          'skopeo',
          'copy',
          '--quiet',
          '--insecure-policy',
          '--dest-tls-verify=false',
          '--format',
          format,
        ],
        ...[
          `docker-archive:${join(dir, 'app.tar')}`,
          `docker://${registry.address}/library/app:${tag}`,
        ],
      ]);
      assert.equal(done.status, 0, done.stderr);
    }
    rig = await openRig({ registry: { mirrors: { 'docker.io': [registry.url] }, insecure: [] } });
  });
  after(async () => {
    await rig.close();
    await registry.stop();
    rmSync(dir, { recursive: true });
  });

  for (const format of ['docker', 'oci']) {
    test(`an image in ${format} form is pulled with Docker's progress`, async () => {
      const own = await openRig();
      const lines: Progress[] = [];
      const name = `${registry.address}/library/app:${format}`;
      const image = await pull(own, name, { onProgress: (line) => lines.push(line) });
      assert.deepEqual(image.tags, [name]);
      assert.equal(image.digests.length, 1);
      const said = lines.map((line) => line.status ?? '');
      assert.equal(said[0], 'Pulling from library/app');
      assert.equal(lines[0]?.id, format);
      assert.equal(said.filter((line) => line === 'Pulling fs layer').length, 2);
      assert.equal(said.filter((line) => line === 'Pull complete').length, 2);
      assert.match(said.at(-2) ?? '', /^Digest: sha256:[0-9a-f]{64}$/);
      assert.equal(said.at(-1), `Status: Downloaded newer image for ${name}`);
      const again: string[] = [];
      await pull(own, name, { onProgress: (line) => again.push(line.status ?? '') });
      assert.equal(again.filter((line) => line === 'Already exists').length, 2);
      assert.equal(again.at(-1), `Status: Image is up to date for ${name}`);
      const byDigest = await pull(own, image.digests[0] ?? '');
      assert.equal(byDigest.id, image.id);
      await assertTidy(own);
      await own.close();
    });
  }

  test('docker.io is asked at its mirror first, and the names stay those of docker.io', async () => {
    const image = await pull(rig, 'app:oci');
    assert.deepEqual(image.tags, ['app:oci']);
    assert.match(image.digests[0] ?? '', /^app@sha256:/);
  });

  test('a tag that nobody has is not found, and the mirror is named', async () => {
    await assert.rejects(
      pull(rig, `${registry.address}/library/app:nope`),
      ofKind('not-found', /^manifest for .*app:nope not found: manifest unknown/),
    );
    await assert.rejects(
      pull(rig, 'app:nope'),
      ofKind('unavailable', /mirror http:\/\/127\.0\.0\.1/),
    );
  });

  test('the saved image is one that skopeo understands, in both forms', async () => {
    const saved = await bytesOf(await rig.images.save(['app:oci'], new AbortController().signal));
    writeFileSync(join(dir, 'saved.tar'), saved);
    for (const form of ['docker-archive', 'oci-archive']) {
      const done = await command([
        'skopeo',
        'inspect',
        '--config',
        `${form}:${join(dir, 'saved.tar')}`,
      ]);
      assert.equal(done.status, 0, done.stderr);
      assert.equal(digestOf(done.stdout.trimEnd()).length, 71);
    }
  });

  test('two pulls of the same image at once fetch every layer once', async () => {
    const own = await openRig();
    const name = `${registry.address}/library/app:oci`;
    const [one, two] = await Promise.all([pull(own, name), pull(own, name)]);
    assert.equal(one.id, two.id);
    await assertTidy(own);
    await own.close();
  });
});

describe('a registry that lies', () => {
  let registry: LyingRegistry;
  let rig: Rig;
  let layers: MadeLayer[];
  let name: string;
  before(async () => {
    registry = await startLyingRegistry();
    rig = await openRig();
    const noise = await makeTar({ noise: randomBytes(1_500_000).toString('base64') });
    layers = [await makeLayer({ 'a/': { dir: true }, 'a/b': 'c' }), layerOf(noise)];
    registry.publish('lib/app', '1', { config: JSON.stringify(makeConfig(layers)), layers });
    name = `${registry.address}/lib/app:1`;
  });
  after(async () => {
    await rig.close();
    await registry.close();
  });

  const onBlob =
    (lie: Lie): Lie =>
    (request, response) =>
      request.url?.endsWith(layers[1]?.digest ?? '-') === true && lie(request, response);
  const onManifest =
    (lie: Lie): Lie =>
    (request, response) =>
      request.url?.includes('/manifests/') === true && lie(request, response);
  const sizeOf = (): number => layers[1]?.gzip.length ?? 0;

  const lies: [string, Lie, string, RegExp][] = [
    [
      'sends other bytes of the right size',
      onBlob((_, response) => Boolean(response.end(Buffer.alloc(sizeOf(), 1)))),
      'invalid',
      /./,
    ],
    [
      'sends a blob without end',
      onBlob((_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, 0)));
        };
        response.on('drain', more);
        const bytes = layers[1]?.gzip ?? Buffer.alloc(0);
        response.write(bytes);
        more();
        return true;
      }),
      'invalid',
      /more than the \d+ bytes/,
    ],
    [
      'sends too little each time',
      onBlob((request, response) =>
        Boolean(response.end(request.headers.range === undefined ? Buffer.alloc(10) : '')),
      ),
      'unavailable',
      /ended .* after/,
    ],
    ['never answers', onBlob(() => true), 'unavailable', /did not answer in time/],
    [
      'trickles',
      onBlob((_, response) => {
        response.writeHead(200, { 'content-length': sizeOf() });
        const timer = setInterval(() => response.write('x'), 50);
        response.on('close', () => clearInterval(timer));
        return true;
      }),
      'unavailable',
      /too slowly/,
    ],
    [
      'sends a manifest without end',
      onManifest((_, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
        };
        response.on('drain', more);
        more();
        return true;
      }),
      'invalid',
      /longer than/,
    ],
    [
      'sends a manifest that nests without end',
      onManifest((_, response) =>
        Boolean(response.end('{"schemaVersion":2,"config":'.padEnd(100_000, '['))),
      ),
      'invalid',
      /nested deeper/,
    ],
    [
      'names another digest than it sends',
      onManifest((_, response) => {
        response.writeHead(200, { 'docker-content-digest': `sha256:${'1'.repeat(64)}` });
        return Boolean(response.end('{}'));
      }),
      'invalid',
      /something else/,
    ],
    [
      'asks for authorization again and again',
      onManifest((_, response) => {
        response.writeHead(401, {
          'www-authenticate': `Bearer realm="http://${registry.address}/token",service="x"`,
        });
        return Boolean(response.end('{"token":"t"}'));
      }),
      'not-found',
      /pull access denied for .*docker login/,
    ],
    [
      'redirects in circles',
      onManifest((request, response) => {
        response.writeHead(302, { location: request.url ?? '/' });
        return Boolean(response.end());
      }),
      'unavailable',
      /circles/,
    ],
    [
      'redirects to a file',
      onBlob((_, response) => {
        response.writeHead(302, { location: 'file:///etc/passwd' });
        return Boolean(response.end());
      }),
      'forbidden',
      /only http and https/,
    ],
    [
      'redirects to a unix socket',
      onBlob((_, response) => {
        response.writeHead(307, { location: 'unix:///var/run/docker.sock' });
        return Boolean(response.end());
      }),
      'forbidden',
      /only http and https/,
    ],
    [
      'breaks with status 500',
      onManifest((_, response) => {
        response.writeHead(500);
        return Boolean(response.end('no'));
      }),
      'unavailable',
      /500/,
    ],
  ];
  for (const [what, lie, kind, words] of lies) {
    test(
      `one that ${what} gives an error in time and leaves nothing`,
      { timeout: 120_000 },
      async () => {
        registry.lie = lie;
        await assert.rejects(pull(rig, name), ofKind(kind, words));
        registry.lie = undefined;
        await assertEmpty(rig);
      },
    );
  }

  test('a token is fetched once with the given credentials and sent only to its registry', async () => {
    const seen: string[] = [];
    registry.lie = (request, response) => {
      seen.push(
        `${(request.url ?? '').split('?')[0] ?? ''} ${(request.headers.authorization ?? '-').split(' ')[0] ?? ''}`,
      );
      if (request.url?.startsWith('/token') === true)
        return Boolean(response.end('{"token":"good"}'));
      if (request.headers.authorization === 'Bearer good') return false;
      response.writeHead(401, {
        'www-authenticate': `Bearer realm="http://${registry.address}/token",service="s",scope="repository:lib/app:pull"`,
      });
      return Boolean(response.end());
    };
    await pull(rig, name, { auth: { username: 'u', password: 'p' } });
    registry.lie = undefined;
    assert.equal(seen.filter((line) => line.startsWith('/token')).length, 1);
    assert.ok(seen.includes('/token Basic'));
    await rig.images.remove(name, { force: true, prune: true });
  });

  test('a connection that breaks is resumed where it stopped', async () => {
    const ranges: string[] = [];
    registry.lie = onBlob((request, response) => {
      ranges.push(request.headers.range ?? 'whole');
      if (ranges.length > 2) return false;
      const start = ranges.length === 1 ? 0 : Number(/\d+/.exec(request.headers.range ?? '')?.[0]);
      const data = layers[1]?.gzip ?? Buffer.alloc(0);
      response.writeHead(start === 0 ? 200 : 206, {
        'content-length': data.length - start,
        ...(start === 0
          ? {}
          : {
              'content-range': `bytes ${String(start)}-${String(data.length - 1)}/${String(data.length)}`,
            }),
      });
      response.write(data.subarray(start, start + 400_000), () =>
        setTimeout(() => response.destroy(), 30),
      );
      return true;
    });
    await pull(rig, name);
    registry.lie = undefined;
    assert.equal(ranges[0], 'whole');
    assert.match(ranges[2] ?? '', /^bytes=[1-9]\d*-$/);
    await rig.images.remove(name, { force: true, prune: true });
    await assertEmpty(rig);
  });

  test('a cancelled pull leaves nothing', async () => {
    const abort = new AbortController();
    registry.lie = onBlob(() => {
      abort.abort();
      return true;
    });
    await assert.rejects(
      pull(rig, name, { signal: abort.signal }),
      ofKind('cancelled', /was cancelled/),
    );
    registry.lie = undefined;
    await assertEmpty(rig);
  });

  test('an index gives the entry for this machine, and says what there is when none fits', async () => {
    const manifest = registry.publish('lib/multi', 'x', {
      config: JSON.stringify(makeConfig(layers)),
      layers,
    });
    const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
    const index = (list: object[]): Buffer =>
      Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: list }));
    const type = 'application/vnd.oci.image.index.v1+json';
    const entry = (arch: string): object => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: manifest,
      size: 1,
      platform: { os: 'linux', architecture: arch },
    });
    registry.put('manifests', 'lib/multi:1', {
      data: index([entry('s390x'), entry(architecture)]),
      type,
    });
    registry.put('manifests', 'lib/multi:2', {
      data: index([entry('s390x'), entry('ppc64le')]),
      type,
    });
    const multi = `${registry.address}/lib/multi`;
    assert.ok((await pull(rig, `${multi}:1`)).tags.includes(`${multi}:1`));
    await assert.rejects(
      pull(rig, `${multi}:2`),
      ofKind('not-found', /no matching manifest for linux\/.*linux\/s390x, linux\/ppc64le/),
    );
    await assert.rejects(
      pull(rig, `${multi}:1`, { platform: 'linux/riscv64' }),
      ofKind('not-found', /no matching manifest for linux\/riscv64/),
    );
  });
});
