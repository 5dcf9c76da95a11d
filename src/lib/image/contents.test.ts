/** Tests of what layers hold and waste, and of how two images differ. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageConfig } from './config.ts';
import { differences, type LayerEntry, removalOf, type Survey, survey } from './contents.ts';

const file = (path: string, size: number, more: Partial<LayerEntry> = {}): LayerEntry => ({
  path,
  type: 'file',
  size,
  mode: 0o644,
  uid: 0,
  gid: 0,
  ...more,
});
const folder = (path: string): LayerEntry => file(path, 0, { type: 'directory', mode: 0o755 });
const CONFIG: ImageConfig = {
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
  history: [
    { created_by: 'COPY a' },
    { created_by: 'ENV x', empty_layer: true },
    { created_by: 'RUN b' },
  ],
};

function surveyOf(...layers: readonly (readonly LayerEntry[])[]): Survey {
  return survey({
    config: CONFIG,
    layers: layers.map((entries, index) => ({ diffId: `sha256:${index}`, entries })),
  });
}

test('whiteouts take away a path, or all that is below a folder', () => {
  assert.deepEqual(removalOf(file('etc/.wh.motd', 0)), { kind: 'path', path: 'etc/motd' });
  assert.deepEqual(removalOf(file('.wh.tmp', 0)), { kind: 'path', path: 'tmp' });
  assert.deepEqual(removalOf(file('var/.wh..wh..opq', 0)), { kind: 'below', path: 'var' });
  assert.equal(removalOf(file('etc/motd', 0)), undefined);
  assert.equal(removalOf(file('etc/.wh.', 0)), undefined);
});

test('files that a later layer replaces or deletes are wasted in the layer that has them', () => {
  const found = surveyOf(
    [folder('a'), file('a/big', 100), file('a/gone', 50), file('kept', 7)],
    [folder('a'), file('a/big', 120), file('a/.wh.gone', 0), file('new', 1)],
  );
  assert.deepEqual(found.waste, [
    { path: 'a/big', bytes: 100, layer: 0, by: 1, how: 'replaced' },
    { path: 'a/gone', bytes: 50, layer: 0, by: 1, how: 'deleted' },
  ]);
  assert.deepEqual(
    found.layers.map(({ bytes, wasted, instruction }) => [bytes, wasted, instruction.created_by]),
    [
      [157, 150, 'COPY a'],
      [121, 0, 'RUN b'],
    ],
  );
  const [, second] = found.layers;
  assert.deepEqual(
    second?.added.map(({ path }) => path),
    ['new'],
  );
  assert.deepEqual(
    second.changed.map(({ path }) => path),
    ['a/big'],
  );
  assert.deepEqual(second.deleted, ['a/gone']);
  assert.deepEqual([...found.seen.keys()].sort(), ['a', 'a/big', 'kept', 'new']);
});

test('what is deleted with its folder is wasted too, and may come again', () => {
  const found = surveyOf(
    [folder('a'), folder('a/b'), file('a/b/c', 10)],
    [file('.wh.a', 0)],
    [folder('a'), folder('a/b'), file('a/b/c', 3)],
  );
  assert.deepEqual(found.waste, [{ path: 'a/b/c', bytes: 10, layer: 0, by: 1, how: 'deleted' }]);
  assert.equal(found.seen.get('a/b/c')?.size, 3);
  assert.deepEqual(found.layers[1]?.deleted, ['a']);
});

test('an opaque folder hides what lower layers have, not what its own layer has before it', () => {
  const found = surveyOf(
    [folder('a'), file('a/old', 5)],
    [folder('a'), file('a/new', 2), file('a/.wh..wh..opq', 0)],
  );
  assert.deepEqual([...found.seen.keys()], ['a', 'a/new']);
  assert.deepEqual(
    found.waste.map(({ path }) => path),
    ['a/old'],
  );
});

test('a folder that becomes a file hides what was in it', () => {
  const found = surveyOf([folder('a'), file('a/x', 9)], [file('a', 1)]);
  assert.deepEqual([...found.seen.keys()], ['a']);
  assert.deepEqual(
    found.waste.map(({ path, how }) => [path, how]),
    [['a/x', 'deleted']],
  );
});

test('paths of any depth and names of any kind are gone through', () => {
  const deep = Array.from({ length: 2000 }, () => 'd').join('/');
  const found = surveyOf(
    [folder('d'), file(`d/${deep}`, 1), file('__proto__', 2), file('constructor/x', 3)],
    [file('.wh.d', 0)],
  );
  assert.deepEqual([...found.seen.keys()], ['__proto__', 'constructor/x']);
});

test('two images differ by content, type and rights; of a folder that one lacks only itself is told', () => {
  const left = surveyOf([
    file('same', 1, { digest: 'x' }),
    file('text', 2, { digest: 'a' }),
    file('mode', 2),
    file('turned', 2),
    folder('gone'),
    file('gone/x', 1),
  ]);
  const right = surveyOf([
    file('same', 1, { digest: 'x' }),
    file('text', 2, { digest: 'b' }),
    file('mode', 2, { mode: 0o755 }),
    file('turned', 0, { type: 'symlink', target: 'same' }),
    folder('came'),
    file('came/y', 1),
  ]);
  assert.deepEqual(
    differences(left.seen, right.seen).map(({ path, kind, what }) => [path, kind, what]),
    [
      ['came', 'added', 'content'],
      ['gone', 'removed', 'content'],
      ['mode', 'changed', 'rights'],
      ['text', 'changed', 'content'],
      ['turned', 'changed', 'type'],
    ],
  );
  assert.deepEqual(differences(left.seen, left.seen), []);
});
