/** The grammar of references, against the cases of distribution/reference's own documentation. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  familiarReference,
  formatReference,
  parseReference,
  tryReference,
  withDefaultTag,
} from './reference.ts';

const HEX = 'a'.repeat(64);

const valid: [string, string, string][] = [
  ['busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
  ['docker.io/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['index.docker.io/library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['docker.io/library/busybox', 'docker.io/library/busybox:latest', 'busybox:latest'],
  ['user/app', 'docker.io/user/app:latest', 'user/app:latest'],
  ['library/a/b', 'docker.io/library/a/b:latest', 'library/a/b:latest'],
  ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
  ['localhost:5000/a/b:t', 'localhost:5000/a/b:t', 'localhost:5000/a/b:t'],
  ['ghcr.io/a/b-c__d.e', 'ghcr.io/a/b-c__d.e:latest', 'ghcr.io/a/b-c__d.e:latest'],
  ['[::1]:5000/a', '[::1]:5000/a:latest', '[::1]:5000/a:latest'],
  ['Upper/app', 'Upper/app:latest', 'Upper/app:latest'],
  [`busybox@sha256:${HEX}`, `docker.io/library/busybox@sha256:${HEX}`, `busybox@sha256:${HEX}`],
  [`a:t@sha256:${HEX}`, `docker.io/library/a:t@sha256:${HEX}`, `a:t@sha256:${HEX}`],
];

for (const [text, full, familiar] of valid) {
  test(`${text} is ${full} and shown as ${familiar}`, () => {
    const reference = withDefaultTag(parseReference(text));
    assert.equal(formatReference(reference), full);
    assert.equal(familiarReference(reference), familiar);
    assert.deepEqual(parseReference(full), reference);
  });
}

const invalid: [string, RegExp][] = [
  ['', /^invalid reference format$/],
  ['BusyBox', /^invalid reference format: repository name \(library\/BusyBox\) must be lowercase$/],
  ['a//b', /^invalid reference format$/],
  ['a/', /^invalid reference format$/],
  ['-a', /^invalid reference format$/],
  ['a:', /^invalid reference format$/],
  ['a:-t', /^invalid reference format$/],
  [`a:${'t'.repeat(129)}`, /^invalid reference format$/],
  ['a b', /^invalid reference format$/],
  ['a___b', /^invalid reference format$/],
  ['a@b', /^invalid reference format$/],
  ['a@sha256:12', /^invalid reference format$/],
  [`a@sha256:${'a'.repeat(63)}`, /^invalid checksum digest length$/],
  [`a@md5:${'a'.repeat(32)}`, /^unsupported digest algorithm$/],
  [HEX, /cannot specify 64-byte hexadecimal strings$/],
  ['../../etc/passwd', /^invalid reference format$/],
  [`${'a/'.repeat(130)}a`, /must not be more than 255 characters/],
  ['x'.repeat(10_000), /^invalid reference format$/],
  ['-host.io/a', /^invalid reference format$/],
  ['a\n', /^invalid reference format$/],
];

for (const [text, words] of invalid) {
  test(`${JSON.stringify(text.slice(0, 40))} is refused`, () => {
    assert.throws(() => parseReference(text), { message: words });
    assert.equal(tryReference(text), undefined);
  });
}

test('hostile texts are judged in no time', () => {
  const start = performance.now();
  for (const text of [
    'a-'.repeat(2000),
    `${'a.'.repeat(1500)}/x`,
    '_'.repeat(4000),
    `a:${'.'.repeat(4000)}`,
  ]) {
    tryReference(text);
  }
  assert.ok(performance.now() - start < 200);
});
