/** Platform names and the choice from an index, as containerd/platforms makes it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageIndex, Platform } from './config.ts';
import {
  formatPlatform,
  normalisePlatform,
  parsePlatform,
  platformMatches,
  platformOf,
  selectManifest,
} from './platform.ts';

const HOST: Platform = { os: 'linux', architecture: 'amd64' };

const parsed: [string, string][] = [
  ['linux/amd64', 'linux/amd64'],
  ['linux/x86_64', 'linux/amd64'],
  ['linux/aarch64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm', 'linux/arm/v7'],
  ['linux/armhf', 'linux/arm/v7'],
  ['linux/armel', 'linux/arm/v6'],
  ['linux/arm/6', 'linux/arm/v6'],
  ['linux/amd64/v1', 'linux/amd64'],
  ['linux/amd64/v3', 'linux/amd64/v3'],
  ['arm64', 'linux/arm64'],
  ['linux', 'linux/amd64'],
  ['macos/arm64', 'darwin/arm64'],
];
for (const [text, normal] of parsed) {
  test(`${text} is ${normal}`, () => {
    assert.equal(formatPlatform(parsePlatform(text, HOST)), normal);
  });
}

test('a malformed platform is refused', () => {
  for (const text of ['', 'a/b/c/d', 'linux/', 'li nux/amd64', '../x']) {
    assert.throws(() => parsePlatform(text, HOST), { kind: 'invalid' });
  }
});

test("Node's names of processors are understood", () => {
  assert.equal(formatPlatform(platformOf('x64')), 'linux/amd64');
  assert.equal(formatPlatform(platformOf('arm64')), 'linux/arm64');
  assert.equal(formatPlatform(platformOf('arm')), 'linux/arm/v7');
});

function index(...platforms: (string | undefined)[]): ImageIndex {
  return {
    schemaVersion: 2,
    manifests: platforms.map((text) => ({
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: text ?? 'none',
      size: 1,
      ...(text === undefined ? {} : { platform: split(text) }),
    })),
  };
}

function split(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

const chosen: [string, (string | undefined)[], string | undefined][] = [
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/386', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/386', 'linux/arm64'], 'linux/386'],
  ['linux/amd64', ['linux/amd64/v3', 'linux/amd64'], 'linux/amd64'],
  ['linux/amd64', ['linux/amd64/v3'], undefined],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2'], 'linux/amd64/v2'],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v6'],
  ['linux/arm/v6', ['linux/arm/v7'], undefined],
  ['linux/arm64', ['linux/arm/v7', 'linux/arm64/v8'], 'linux/arm64/v8'],
  ['linux/arm64', ['windows/arm64'], undefined],
  ['linux/amd64', ['unknown/unknown'], undefined],
  ['linux/amd64', [undefined], 'none'],
  ['linux/amd64', [undefined, 'linux/arm64'], undefined],
];
for (const [wanted, offered, expected] of chosen) {
  test(`for ${wanted} of ${offered.map((one) => one ?? '(none)').join(', ')} the choice is ${expected ?? 'none'}`, () => {
    assert.equal(selectManifest(index(...offered), split(wanted))?.digest, expected);
  });
}

test('matching goes down the variants, not up', () => {
  assert.equal(platformMatches(split('linux/arm/v7'), split('linux/arm/v6')), true);
  assert.equal(platformMatches(split('linux/arm/v6'), split('linux/arm/v7')), false);
  assert.deepEqual(
    normalisePlatform(normalisePlatform(split('linux/armhf'))),
    split('linux/arm/v7'),
  );
});
