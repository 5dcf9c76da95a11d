/** The checks of documents that strangers wrote. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MEDIA, parseConfig, parseJson, parseManifest } from './manifest.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const layer = { mediaType: MEDIA.ociLayerGzip, digest: DIGEST, size: 10 };
const good = {
  schemaVersion: 2,
  mediaType: MEDIA.ociManifest,
  config: { mediaType: MEDIA.ociConfig, digest: DIGEST, size: 2 },
  layers: [layer],
};

test('a manifest is read, and what is not of the specification is left out', () => {
  const document = parseManifest(
    JSON.stringify({ ...good, extra: 1, layers: [{ ...layer, urls: ['http://x'] }] }),
  );
  assert.ok(document.kind === 'manifest');
  assert.deepEqual(document.manifest.layers, [layer]);
});

test('an index is read with its platforms', () => {
  const platform = { os: 'linux', architecture: 'arm', variant: 'v7' };
  const entry = { mediaType: MEDIA.ociManifest, digest: DIGEST, size: 1, platform };
  const document = parseManifest(JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  assert.deepEqual(document.kind === 'index' && document.index.manifests[0]?.platform, platform);
});

const refused: [string, unknown, string | undefined, RegExp][] = [
  ['only a text', 'text', undefined, /not an object/],
  ['a list', [], undefined, /not an object/],
  ['another schema', { schemaVersion: 3 }, undefined, /schemaVersion/],
  ['schema 1', { schemaVersion: 1 }, undefined, /no longer supported/],
  ['both kinds at once', { ...good, mediaType: undefined, manifests: [] }, undefined, /at once/],
  ['a contradicting type', good, MEDIA.ociIndex, /was sent as/],
  ['an unknown type', { ...good, mediaType: 'text/plain' }, undefined, /unsupported/],
  [
    'a wrong digest form',
    { ...good, layers: [{ ...layer, digest: '../../x' }] },
    undefined,
    /not a sha256 digest/,
  ],
  ['a negative size', { ...good, layers: [{ ...layer, size: -1 }] }, undefined, /size/],
  ['a size beyond counting', { ...good, layers: [{ ...layer, size: 1e300 }] }, undefined, /size/],
  [
    'too many layers',
    { ...good, layers: Array.from({ length: 1000 }, () => layer) },
    undefined,
    /at most/,
  ],
  [
    'another kind of artifact',
    { ...good, config: { ...good.config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } },
    undefined,
    /not a container image/,
  ],
  [
    'a strange layer',
    { ...good, layers: [{ ...layer, mediaType: 'application/x-sh' }] },
    undefined,
    /unsupported media type/,
  ],
  [
    'a huge configuration',
    { ...good, config: { ...good.config, size: 1e9 } },
    undefined,
    /larger than/,
  ],
];
for (const [what, document, type, words] of refused) {
  test(`a manifest with ${what} is refused`, () => {
    assert.throws(() => parseManifest(JSON.stringify(document), type), { message: words });
  });
}

test('what is no JSON is refused', () => {
  assert.throws(() => parseManifest('<html>'), { message: /not valid JSON/ });
});

test('size and depth are bounded before anything is parsed', () => {
  assert.throws(() => parseManifest(' '.repeat(5_000_000)), { message: /larger than/ });
  assert.throws(() => parseManifest(`{"a":${'['.repeat(1_000_000)}`), { message: /nested deeper/ });
  assert.deepEqual(parseJson('{"a":"[[[[{{{{\\"["}', 'x', 100), { a: '[[[[{{{{"[' });
});

test('a configuration keeps what it has and is refused with wrong types', () => {
  const config = parseConfig(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: { Env: ['A=b'], Cmd: null },
      rootfs: { type: 'layers', diff_ids: [DIGEST] },
      history: null,
    }),
  );
  assert.deepEqual(config.config, { Env: ['A=b'], Cmd: null });
  assert.equal(config.history, undefined);
  const bad: object[] = [
    { rootfs: { diff_ids: ['x'] } },
    { rootfs: [] },
    {},
    { rootfs: { diff_ids: [] }, config: { Env: 'A=b' } },
    { rootfs: { diff_ids: [] }, config: { Labels: { a: 1 } } },
    { rootfs: { diff_ids: [] }, config: { User: 0 } },
    { rootfs: { diff_ids: [] }, os: 1 },
    { rootfs: { diff_ids: [] }, history: [{ created_by: {} }] },
  ];
  for (const document of bad)
    assert.throws(() => parseConfig(JSON.stringify(document)), { kind: 'invalid' });
  assert.equal(parseConfig('{"rootfs":{"diff_ids":[]},"__proto__":{"os":"x"}}').os, '');
});
