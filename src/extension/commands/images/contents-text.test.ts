/** Golden tests of the documents about an image's layers and two images' differences. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageConfig } from '../../../lib/image/config.ts';
import { differences, type LayerEntry, survey } from '../../../lib/image/contents.ts';
import { comparisonText, contentsText } from './contents-text.ts';

const LINK = { type: 'symlink', target: 'a' } as const;
const file = (path: string, size: number, more: Partial<LayerEntry> = {}): LayerEntry => ({
  path,
  type: 'file',
  size,
  mode: 0o644,
  uid: 0,
  gid: 0,
  ...more,
});
const config = (more: Partial<ImageConfig> = {}): ImageConfig => ({
  architecture: 'amd64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [] },
  history: [
    { created_by: '/bin/sh -c #(nop) COPY dir:1 in / ' },
    { created_by: '/bin/sh -c rm /big' },
  ],
  ...more,
});
const OLD = {
  config: config({ config: { Cmd: ['sh'], Env: ['A=1'], User: 'x' } }),
  layers: [
    { diffId: 'sha256:1', entries: [file('big', 2_000_000), file('etc/a\nb', 10)] },
    { diffId: 'sha256:2', entries: [file('.wh.big', 0), file('etc/link', 0, LINK)] },
  ],
};
const NEW = {
  config: config({ config: { Cmd: ['sh'], Env: ['A=2'] } }),
  layers: [OLD.layers[0] ?? { diffId: '', entries: [] }],
};

test('the layers of an image are told with what they waste', () => {
  assert.equal(
    contentsText('shop:1', survey(OLD)),
    `shop:1: 2 layers, 2 MB
2 MB (100.0 %) are wasted: files that a later layer replaces or deletes.

Wasted, the largest first
      2 MB  /big  of layer 1, deleted by layer 2

Layer 1  2 MB, 2 MB of it wasted, 2 added
  COPY dir:1 in /
  sha256:1
  Added
        2 MB  /big
        10 B  /etc/a·b

Layer 2  0 B, 1 added, 1 deleted
  RUN rm /big
  sha256:2
  Added
              /etc/link → a
  Deleted
    /big
`,
  );
  assert.match(contentsText('new', survey(NEW)), /No space is wasted/);
});

test('two images are compared by settings, layers and files', () => {
  const surveys = [survey(OLD), survey(NEW)] as const;
  const files = differences(surveys[0].seen, surveys[1].seen);
  assert.equal(
    comparisonText(['shop:1', 'shop:2'], { configs: [OLD.config, NEW.config], surveys, files }),
    `- shop:1: 2 layers, 2 MB
+ shop:2: 1 layer, 2 MB
The first layer is the same.

Settings
  - user x
  - env A=1
  + env A=2

Added (1)
      2 MB  /big

Removed (1)
            /etc/link
`,
  );
});
