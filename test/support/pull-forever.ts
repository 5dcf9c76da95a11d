/** A program for tests: pulls the image named second into the root named first, and says `pulling` once bytes flow. It is made to be killed. */

import { openRig } from './image-rig.ts';

const [root = '', name = ''] = process.argv.slice(2);
const rig = await openRig({ root });
let said = false;
await rig.images.pull(name, {
  signal: new AbortController().signal,
  onProgress: (line) => {
    if (said || line.status !== 'Downloading') return;
    said = true;
    process.stdout.write('pulling\n');
  },
});
