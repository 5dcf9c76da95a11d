/** Tests of the commands on an image's layers and on two images' differences, on archives of the test. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { pack } from 'tar-stream';
import type { ImageSummary } from '../../../lib/api/images.ts';
import type { ImageNode } from '../../views/nodes.ts';
import type { Command } from '../desk.ts';
import { type FakeAnswers, fakeDesk } from '../fake-desk.ts';
import { compare, layers } from './contents.ts';

const IDS = { 'shop:1': `sha256:${'1'.repeat(64)}`, 'shop:2': `sha256:${'2'.repeat(64)}` } as const;

function node(reference: keyof typeof IDS): ImageNode {
  const id = IDS[reference];
  const summary = { Id: id, RepoTags: [reference], Size: 10_000 } as ImageSummary;
  return { kind: 'image', id, reference, summary };
}

async function bytes(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function archive(reference: string): Promise<Readable> {
  const files = { 'etc/same': 'x', 'etc/motd': reference };
  const own = reference === 'shop:1' ? { 'etc/old': 'old' } : { 'etc/new': 'new' };
  const saved = await bytes({
    'a.tar': await bytes({ ...files, ...own }),
    'c.json': JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { diff_ids: [reference] },
    }),
    'manifest.json': JSON.stringify([{ Config: 'c.json', Layers: ['a.tar'] }]),
  });
  return Readable.from([saved], { objectMode: false });
}

function run(
  command: Command,
  targets: readonly ImageNode[],
  answers: FakeAnswers = {},
): Promise<readonly string[]> {
  const client = {
    images: {
      save: ([reference = '']: readonly string[]) => archive(reference),
      list: () => Promise.resolve([node('shop:1').summary, node('shop:2').summary]),
    },
  };
  return fakeDesk({ client, ...answers }).run(command, targets, undefined);
}

test('the layers of an image are a document', async () => {
  const journal = await run(layers, [node('shop:1')]);
  assert.ok(journal.includes('progress Reading shop:1'));
  assert.match(journal.at(-1) ?? '', /^show Layers of shop:1: shop:1: 1 layer, 10 B\n/);
  assert.match(journal.at(-1) ?? '', /Added\n\s+6 B {2}\/etc\/motd\n/);
});

test('of two images a file is opened beside its other, or all are shown', async () => {
  const pair = [node('shop:1'), node('shop:2')];
  const changed = await run(compare, pair, { picks: ['$(diff-modified) /etc/motd'] });
  assert.match(
    changed.at(-1) ?? '',
    /^execute pinnace\.files\.compare "pinnace-files:\/\/image%2B1+\/etc\/motd" "pinnace-files:\/\/image%2B2+\/etc\/motd" "\/etc\/motd \(shop:1 ↔ shop:2\)"$/,
  );
  const added = await run(compare, pair, { picks: ['$(diff-added) /etc/new'] });
  assert.match(added.at(-1) ?? '', /files\.show "pinnace-files:\/\/image%2B2+\/etc\/new"/);
  const removed = await run(compare, pair, { picks: ['$(diff-removed) /etc/old'] });
  assert.match(removed.at(-1) ?? '', /files\.show "pinnace-files:\/\/image%2B1+\/etc\/old"/);
  const all = await run(compare, pair, { picks: ['$(list-flat) Show All Differences'] });
  assert.match(all.at(-1) ?? '', /^show shop:1 ↔ shop:2: - shop:1/);
});

test('the other image is asked for, and images of the same files are a document at once', async () => {
  const asked = await run(compare, [node('shop:1')], { picks: ['shop:2', undefined] });
  assert.ok(asked.includes('pick Compare shop:1 with which image?'));
  assert.ok(!asked.some((line) => line.startsWith('show')));
  const client = { images: { save: () => archive('shop:1') } };
  const same = await run(compare, [node('shop:1'), node('shop:2')], { client });
  assert.match(same.at(-1) ?? '', /The first layer is the same\.\n\nThe files are the same\.\n$/);
});
