/** Tests of the tree of images: repositories, tags that move, layers, who uses them, and what a change refreshes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageHistoryItem } from '../../../lib/api/images.ts';
import { Arrangements } from '../arrangement.ts';
import { container, image, testMemory, testStore, type TestStore } from '../fake-live.ts';
import type { Node } from '../nodes.ts';
import type { Changed } from '../row.ts';
import { instructionOf, layersOf } from './layers.ts';
import { ImagesModel } from './model.ts';

const NOW = 1_700_000_600_000;

interface Seen {
  readonly model: ImagesModel;
  readonly live: TestStore;
  readonly changes: Changed<Node>[];
  readonly asked: string[];
  readonly lines: () => Promise<string[]>;
}

const HISTORY: readonly ImageHistoryItem[] = [
  {
    Id: 'x',
    Created: 2,
    CreatedBy: '/bin/sh -c #(nop)  CMD ["sh"]',
    Tags: null,
    Size: 0,
    Comment: '',
  },
  {
    Id: 'y',
    Created: 1,
    CreatedBy: 'RUN /bin/sh -c make # buildkit',
    Tags: null,
    Size: 2000,
    Comment: '',
  },
  { Id: 'z', Created: 0, CreatedBy: '', Tags: null, Size: 1000, Comment: 'from tar' },
];

function tree(first: Parameters<typeof testStore>[0], arrangement?: object): Seen {
  const live = testStore(first);
  const arrangements = new Arrangements(testMemory({ 'explorer.images': arrangement }));
  const asked: string[] = [];
  const history = (id: string): Promise<readonly ImageHistoryItem[]> => {
    asked.push(id);
    return Promise.resolve(HISTORY);
  };
  const model = new ImagesModel({ live, arrangements, now: () => NOW, history });
  const changes: Changed<Node>[] = [];
  model.onDidChange((changed) => void changes.push(changed));
  const lines = async (): Promise<string[]> => {
    const found: string[] = [];
    for (const node of await model.children(undefined)) {
      found.push(`${model.row(node).label} | ${model.row(node).description ?? ''}`);
      if (node.kind !== 'group') continue;
      for (const child of await model.children(node)) {
        found.push(`  ${model.row(child).label} | ${model.row(child).description ?? ''}`);
      }
    }
    return found;
  };
  return { model, live, changes, asked, lines };
}

test('tags stand beneath their repositories, images without a tag at the end', async () => {
  const { lines } = tree({
    image: [
      image('a', ['web:2', 'web:10', 'localhost:5000/team/web:latest']),
      image('b', ['<none>:<none>']),
      image('c', [], { RepoTags: null }),
    ],
    container: [container('user', { ImageID: `sha256:${'a'.padEnd(64, '0')}` })],
  });
  assert.deepEqual(await lines(), [
    'localhost:5000/team/web | 1 tag · 1 MB',
    '  latest | 1 MB · 10 minutes ago · used by 1 container',
    'web | 2 tags · 1 MB',
    '  2 | 1 MB · 10 minutes ago · used by 1 container',
    '  10 | 1 MB · 10 minutes ago · used by 1 container',
    '<none> | 2 images · 2 MB',
    '  b00000000000 | 1 MB · 10 minutes ago',
    '  c00000000000 | 1 MB · 10 minutes ago',
  ]);
});

test('without groups the whole reference is shown, and the largest can be first', async () => {
  const images = [image('a', ['web:1']), image('b', ['db:1'], { Size: 5_000_000 })];
  const { lines } = tree({ image: images }, { group: 'none', sort: 'size' });
  assert.deepEqual(await lines(), [
    'db:1 | 5 MB · 10 minutes ago',
    'web:1 | 1 MB · 10 minutes ago',
  ]);
});

test('a tag that moves to a new image stays one row, in whatever order that is told', async () => {
  const { live, lines, model, changes } = tree({ image: [image('a', ['web:1'])] });
  await lines();
  const before = model.find('web:1');
  live.put('image', image('b', ['web:1']));
  live.put('image', image('a', []));
  assert.deepEqual(await lines(), [
    'web | 1 tag · 1 MB',
    '  1 | 1 MB · 10 minutes ago',
    '<none> | 1 image · 1 MB',
    '  a00000000000 | 1 MB · 10 minutes ago',
  ]);
  assert.equal(model.find('web:1'), before);
  assert.equal(before?.id, `sha256:${'b'.padEnd(64, '0')}`);
  assert.equal(changes.at(-1), 'all');
  live.drop('image', `sha256:${'a'.padEnd(64, '0')}`);
  assert.equal((await lines()).length, 2);
});

test('a container that begins or ends to use an image refreshes that image alone', async () => {
  const { live, lines, model, changes } = tree({
    image: [image('a', ['web:1']), image('b', ['db:1'])],
  });
  await lines();
  const ImageID = `sha256:${'a'.padEnd(64, '0')}`;
  live.put('container', container('user', { ImageID, Names: ['/w|eb'] }));
  const [node] = await model.children((await model.children(undefined))[1]);
  assert.equal(changes.length, 1);
  assert.equal(changes[0]?.length, 1);
  assert.ok(node);
  assert.match(model.row(node).context, /\bused\b/);
  assert.match(model.hover(node)?.markdown ?? '', /Used by \| w&#124;eb \|/);
  live.drop('container', 'user');
  assert.doesNotMatch(model.row(node).context, /\bused\b/);
});

test('layers are asked for when an image is unfolded, once, and are shown from the base', async () => {
  const { model, asked, live, lines } = tree({ image: [image('a', ['web:1'])] }, { group: 'none' });
  await lines();
  assert.deepEqual(asked, []);
  const node = model.find('web:1');
  assert.ok(node);
  const layers = await model.children(node);
  await model.children(node);
  assert.deepEqual(asked, [node.id]);
  assert.deepEqual(
    layers.map((layer) => [model.row(layer).label, model.row(layer).description]),
    [
      ['from tar', '1 kB · 1 kB in all'],
      ['RUN make', '2 kB · 3 kB in all'],
      ['CMD ["sh"]', ''],
    ],
  );
  assert.equal(model.parent(layers[0] as Node), node);
  live.put('image', image('b', ['web:1']));
  await model.children(node);
  assert.equal(asked.length, 2);
});

test('instructions are read back from what engines record', () => {
  const recorded: readonly (readonly [unknown, string])[] = [
    ['/bin/sh -c #(nop) COPY file:abc in / ', 'COPY file:abc in /'],
    ['/bin/sh -c apt-get update', 'RUN apt-get update'],
    ['|1 A=b /bin/sh -c make', 'RUN make'],
    ['RUN |1 A=b /bin/sh -c make # buildkit', 'RUN make'],
    ['COPY . /app # buildkit', 'COPY . /app'],
    ['ENV A=1\u202e', 'ENV A=1\u{fffd}'],
    [null, ''],
  ];
  for (const [text, instruction] of recorded) assert.equal(instructionOf(text), instruction);
  const [only] = layersOf('i', [{ ...(HISTORY[0] as ImageHistoryItem), CreatedBy: '', Size: -1 }]);
  assert.deepEqual([only?.instruction, only?.size], ['(no instruction recorded)', 0]);
});

test('an engine that cannot tell the layers is asked again the next time', async () => {
  const live = testStore({ image: [image('a', ['web:1'])] });
  let fails = true;
  const model = new ImagesModel({
    live,
    arrangements: new Arrangements(testMemory()),
    now: () => NOW,
    history: () => (fails ? Promise.reject(new Error('gone')) : Promise.resolve(HISTORY)),
  });
  await model.children(undefined);
  const node = model.find('web:1');
  assert.ok(node);
  await assert.rejects(model.children(node), /gone/);
  fails = false;
  assert.equal((await model.children(node)).length, 3);
});

test('a thousand images: building sorts once, one change compares a handful of times', async () => {
  const many = Array.from({ length: 1000 }, (_, index) =>
    image(`${index.toString(16)}f`, [`r${index % 50}:${index}`]),
  );
  const { model, live, changes } = tree({ image: many });
  await model.children(undefined);
  assert.ok(model.comparisons < 5000, `building: ${model.comparisons} comparisons`);
  const before = model.comparisons;
  live.put('image', image('1f', ['r1:1'], { Size: 5 }));
  assert.ok(model.comparisons - before < 20);
  assert.equal(changes[0]?.length, 1);
});
