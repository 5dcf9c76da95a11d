/** Images with a hostile layer upon busybox, loaded as a user would load them. It never starts a container. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { archiveOf } from '../../scripts/lib/images.ts';
import { command, type TestEngine } from './engine.ts';
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
  const evil = tar(image.entries);
  const config = {
    os: 'linux',
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    config: { Cmd: ['sh'], Env: ['PATH=/bin:/usr/bin'], ...image.config },
    rootfs: { type: 'layers', diff_ids: [sha256(busybox), sha256(evil)] },
    ...image.claims,
  };
  const manifest = [
    { Config: 'config.json', RepoTags: [`${name}:latest`], Layers: ['0/layer.tar', '1/layer.tar'] },
  ];
  const input = tar([
    { name: 'manifest.json', content: JSON.stringify(manifest) },
    { name: 'config.json', content: JSON.stringify(config) },
    { name: '0/layer.tar', content: busybox },
    { name: '1/layer.tar', content: evil },
  ]);
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

function sha256(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}
