/** Bodies are bounded and have the shape that their table says. */

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { checkShape, parseJson, readBody, readJson, requireJson } from './body.ts';
import type { Shape } from './body.ts';
import { CREATE_SHAPE } from './shapes.ts';

const body = (text: string): Readable => Readable.from([Buffer.from(text)]);

test('an empty body is nothing, or an error where one is needed', async () => {
  assert.equal(await readJson(Readable.from([]), 'any'), undefined);
  assert.equal(await readJson(body(' null '), 'any'), undefined);
  await assert.rejects(requireJson(Readable.from([]), 'any'), /body is empty/);
});

test('a body beyond its limit is refused while it comes in', async () => {
  let read = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        read += 1;
        yield Buffer.alloc(1024);
      }
    })(),
  );
  await assert.rejects(readBody(endless, 10_000), /larger than 10000 bytes/);
  assert.ok(read < 100);
});

test('brackets inside strings are no depth, real depth is bounded', () => {
  assert.deepEqual(parseJson(`["${'['.repeat(100)}\\"${'{'.repeat(100)}"]`, 'it'), [
    `${'['.repeat(100)}"${'{'.repeat(100)}`,
  ]);
  assert.throws(() => parseJson('['.repeat(1_000_000), 'it'), /it is nested deeper than 32 levels/);
});

test('the first wrong member is named by its path', () => {
  const wrong: readonly (readonly [Shape, unknown, RegExp])[] = [
    [
      CREATE_SHAPE,
      { HostConfig: { Mounts: [{ Type: 'bind' }, { ReadOnly: 'yes' }] } },
      /HostConfig\.Mounts\[1\]\.ReadOnly must be true or false, not "yes"/,
    ],
    [CREATE_SHAPE, { Labels: { a: 1 } }, /Labels\.a must be a string, not 1/],
    [CREATE_SHAPE, { ExposedPorts: ['80'] }, /ExposedPorts must be an object, not a list/],
    [CREATE_SHAPE, { Cmd: { a: 1 } }, /Cmd must be a string or a list of strings, not an object/],
    [CREATE_SHAPE, { StopTimeout: 1.5 }, /StopTimeout must be a whole number, not 1\.5/],
    [CREATE_SHAPE, { Image: 'a\0b' }, /Image must be a string/],
  ];
  for (const [shape, value, message] of wrong)
    assert.throws(() => checkShape(value, shape, ''), message);
});

test('what real clients send passes: nulls, strings for commands, and members that are not known', () => {
  const request = {
    Image: 'busybox',
    Cmd: 'sh',
    Entrypoint: null,
    Env: null,
    ExposedPorts: { '80/tcp': {} },
    Future: { any: 1 },
    HostConfig: {
      Binds: null,
      ConsoleSize: [0, 0],
      PidsLimit: null,
      PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '8080' }] },
    },
    NetworkingConfig: { EndpointsConfig: { default: null } },
  };
  assert.doesNotThrow(() => checkShape(request, CREATE_SHAPE, ''));
});
