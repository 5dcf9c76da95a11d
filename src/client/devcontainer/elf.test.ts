/** Tests of the programs that are made to find their loader elsewhere. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { interpreterOf, relocate } from './elf.ts';

test('a program names its new loader after it was changed, and keeps its size', () => {
  const program = readFileSync(process.execPath);
  const size = program.length;
  assert.match(interpreterOf(program) ?? '', /ld-/);
  relocate(program, { loader: '/.pinnace/ld', libraries: '/.pinnace/lib' });
  assert.equal(interpreterOf(program), '/.pinnace/ld');
  assert.equal(program.length, size);
});

test('what is no program, and what has no room, is refused', () => {
  assert.throws(() => interpreterOf(Buffer.from('#!/bin/sh\n')), /not a 64-bit/);
  assert.throws(() => interpreterOf(Buffer.alloc(0)), /not a 64-bit/);
  assert.throws(
    () =>
      relocate(readFileSync(process.execPath), {
        loader: '/a/long/way/to/it',
        libraries: '/and/much/more/to/say',
      }),
    /no room/,
  );
});
