/** The answers of the image endpoints, the list's filters and the history. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imageHistory } from './history.ts';
import { inspectImage, listImages } from './inspect.ts';
import type { ImageFilters } from './inspect.ts';
import type { Image } from './types.ts';

function image(name: string, more: Partial<Image> = {}, labels?: Record<string, string>): Image {
  return {
    id: `sha256:${name.padEnd(64, '0')}`,
    config: {
      os: 'linux',
      architecture: 'amd64',
      created: `2024-01-0${String(name.charCodeAt(0) - 96)}T00:00:00Z`,
      config: labels === undefined ? {} : { Labels: labels },
      rootfs: { type: 'layers', diff_ids: [] },
    },
    chainId: null,
    tags: [`${name}:1`],
    digests: [],
    size: 10,
    created: `2024-01-0${String(name.charCodeAt(0) - 96)}T00:00:00Z`,
    parent: '',
    lastTagged: '',
    ...more,
  };
}

const images = [
  image('a', { tags: ['app:1', 'app:2', 'host:5000/team/app:3'] }, { stage: 'test', bare: '' }),
  image('b', { tags: ['busybox:latest'] }),
  image('c', { tags: [] }),
  image('d', { tags: [], parent: '' }),
  image('e', { tags: ['child:1'], parent: `sha256:${'d'.padEnd(64, '0')}` }),
];

function list(filters: ImageFilters, all = false): string[] {
  const get = (text: string): Image =>
    images.find((one) => one.tags.includes(text)) ?? assert.fail(text);
  return listImages(images, { all, filters, get, now: Date.parse('2024-01-04T00:00:00Z') }).map(
    (one) => one.Id.slice(7, 8),
  );
}

const cases: [ImageFilters, string][] = [
  [{}, 'ecba'],
  [{ dangling: ['true'] }, 'c'],
  [{ dangling: ['false'] }, 'eba'],
  [{ reference: ['app'] }, 'a'],
  [{ reference: ['app:*'] }, 'a'],
  [{ reference: ['*'] }, 'eba'],
  [{ reference: ['busy*:lat?st'] }, 'b'],
  [{ reference: ['host:5000/*/app'] }, 'a'],
  [{ reference: ['[a-b]*'] }, 'ba'],
  [{ reference: ['[^b]*'] }, 'ea'],
  [{ reference: ['nothing'] }, ''],
  [{ label: ['stage'] }, 'a'],
  [{ label: ['stage=test'] }, 'a'],
  [{ label: ['stage=other'] }, ''],
  [{ label: ['stage', 'bare='] }, 'a'],
  [{ before: ['busybox:latest'] }, 'a'],
  [{ since: ['busybox:latest'] }, 'ec'],
  [{ until: ['24h'] }, 'ba'],
  [{ until: ['2024-01-02T00:00:00Z'] }, 'a'],
];
for (const [filters, expected] of cases) {
  test(`the filter ${JSON.stringify(filters)} shows ${expected === '' ? 'nothing' : expected}`, () => {
    assert.equal(list(filters).join(''), expected);
  });
}

test('all shows steps on the way too', () => {
  assert.equal(list({}, true).join(''), 'edcba');
});

test('a reference filter also narrows the names that are shown', () => {
  const [only] = listImages(images, {
    all: false,
    filters: { reference: ['app:1'] },
    get: () => assert.fail(),
    now: 0,
  });
  assert.deepEqual(only?.RepoTags, ['app:1']);
});

test('wrong filters are refused by name', () => {
  for (const filters of [
    { color: ['red'] },
    { dangling: ['maybe'] },
    { until: ['yesterday'] },
    { reference: ['['] },
  ]) {
    assert.throws(() => list(filters), { kind: 'invalid', message: /invalid filter/ });
  }
});

test('a hostile pattern ends in no time', () => {
  const start = performance.now();
  list({ reference: [`${'*a'.repeat(200)}b`] });
  assert.ok(performance.now() - start < 200);
});

test('inspect gives the layers top first and leaves out what is not there', () => {
  const answer = inspectImage(image('a', {}, { x: 'y' }), ['/s/2/fs', '/s/1/fs']);
  assert.deepEqual(answer.GraphDriver.Data, { UpperDir: '/s/2/fs', LowerDir: '/s/1/fs' });
  assert.deepEqual(answer.RootFS, { Type: 'layers' });
  assert.equal('Variant' in answer, false);
  assert.equal(answer.Metadata.LastTagTime, '0001-01-01T00:00:00Z');
});

test('history runs newest first, gives sizes to the entries with layers, and shows forgotten layers', () => {
  const base = image('a');
  const config = {
    ...base.config,
    history: [
      { created: '2024-01-01T00:00:00Z', created_by: 'ADD' },
      { created_by: 'ENV', empty_layer: true },
      { created_by: 'RUN', comment: 'c' },
    ],
  };
  const items = imageHistory({ ...base, config }, [100, 20, 3]);
  assert.deepEqual(
    items.map((one) => [one.CreatedBy, one.Size]),
    [
      ['', 3],
      ['RUN', 20],
      ['ENV', 0],
      ['ADD', 100],
    ],
  );
  assert.equal(items.at(0)?.Id, base.id);
  assert.deepEqual(items.at(0)?.Tags, ['a:1']);
  assert.equal(items.at(1)?.Id, '<missing>');
});
