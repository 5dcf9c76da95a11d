/** Images with a hostile layer upon busybox, loaded as a user would load them. It never starts a container. */

import assert from 'node:assert/strict';
import { archiveOf } from '../../scripts/lib/images.ts';
import { command, type TestEngine } from './engine.ts';
import { imageArchive } from './image-archive.ts';
import { tar, type TarEntry } from './tar.ts';

/** Loads `NAME:latest`: busybox's layer and one with the entries; answers docker's status. */
export async function loadEvilImage(
  engine: TestEngine,
  name: string,
  image: {
    readonly entries: readonly TarEntry[];
    readonly config?: object;
    /** Members of the whole configuration beside its `config`: claims about parents and history. */
    readonly claims?: object;
  },
): Promise<number> {
  const busybox = await layerOf(archiveOf('busybox:latest'));
  const input = imageArchive({
    name: `${name}:latest`,
    layers: [busybox, tar(image.entries)],
    config: {
      config: { Cmd: ['sh'], Env: ['PATH=/bin:/usr/bin'], ...image.config },
      ...image.claims,
    },
  });
  const { status } = await engine.tryDocker(['load'], { input });
  return status;
}

async function layerOf(archive: string): Promise<Buffer> {
  const names = await command(['tar', '-tf', archive]);
  const layer = names.stdout.split('\n').find((name) => name.endsWith('.tar')) ?? '';
  // Bytes, which text would spoil.
  const coded = await command([
    'sh',
    '-c',
    'tar -xOf "$1" "$2" | base64 -w0',
    'sh',
    archive,
    layer,
  ]);
  assert.equal(coded.status, 0, coded.stderr);
  return Buffer.from(coded.stdout, 'base64');
}
