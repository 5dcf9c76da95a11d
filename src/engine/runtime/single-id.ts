/**
 * What containers of the single-id mode need beside the image. There only one id exists: the kernel filter answers
 * calls that would take another with success, which satisfies programs unless they look afterwards. This file owns
 * the answers for those that look; it never changes an image.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mode } from './types.ts';

/** apt becomes the user _apt to fetch and checks that it did (apt.conf(5), APT::Sandbox::User). */
const FILES = [
  {
    folders: ['etc', 'apt', 'apt.conf.d'],
    name: '90pinnace-single-id',
    text: '// Here one id is all there is, so apt cannot become another user.\nAPT::Sandbox::User "root";\n',
  },
];

/** The layers to put below every image, made below the data root: one in single-id mode, none in the others. */
export function lowestLayers(mode: Mode, dataRoot: string): readonly string[] {
  if (mode !== 'single-id') return [];
  const layer = join(dataRoot, 'single-id');
  makeShown(layer);
  for (const { folders, name, text } of FILES) {
    let place = layer;
    for (const folder of folders) {
      place = join(place, folder);
      makeShown(place);
    }
    const file = join(place, name);
    writeFileSync(file, text);
    chmodSync(file, 0o644);
  }
  return [layer];
}

/** Seen in containers, so its mode does not depend on the engine's umask. */
function makeShown(dir: string): void {
  mkdirSync(dir, { recursive: true });
  chmodSync(dir, 0o755);
}
