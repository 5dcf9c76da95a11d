/** Tests of the written outline: whatever the file, and whatever was written before it, it says what the symbols say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import { OutlineMemory, outlineOf } from './outline.ts';
import { symbolsOf } from './symbols.ts';

function check(text: string, memory: OutlineMemory): void {
  const file = parseDockerfile(text);
  assert.deepEqual(JSON.parse(outlineOf(file, memory).toString()), symbolsOf(file), text);
}

const FILES: Readonly<Record<string, string>> = {
  nothing: '',
  'no stage': 'ARG A=1\nRUN x\n',
  'what looks like the fields': 'FROM a\nRUN echo \'"line":5\' "\\"line\\":7"\nLABEL "line":9=1\n',
  'text beyond ASCII': 'FROM a\nRUN echo grüße 😀 \u2028 \ud800\n',
  'instructions over several lines': 'FROM a\nRUN x \\\n  # c\n  y\nRUN <<E\n\ncat\nE\nCMD x\n',
  'a byte order mark and CRLF': '\ufeffFROM a\r\n  RUN x \\\r\n  y\r\n',
  'another escape character': '# escape=`\nFROM a\nRUN x `\n y \\\nRUN z\n',
  'stages without a name': 'FROM a\nRUN x\nFROM a\nRUN x\nFROM a\nRUN x\n',
  'stages of the same name and other ends': 'FROM a AS b\nRUN x\nFROM a AS b\nRUN x\nRUN yy\n',
  'what cannot be read': '\\\n\nX\nFROM\nFROM a\n0,1,5,FROM a\nONBUILD\n',
  'more than a thousand lines': 'FROM a\nRUN x\n'.repeat(1100),
};

test('an outline that is written says the same as its symbols', async (t) => {
  const memory = new OutlineMemory();
  for (const [name, text] of Object.entries(FILES)) {
    await t.test(name, () => {
      check(text, memory);
      check(`# one line more\n${text}`, memory);
      check(text, memory);
    });
  }
});

test('also for files put together at random', () => {
  const memory = new OutlineMemory();
  const piece = fc.oneof(
    fc.constantFrom(
      'FROM a\n',
      'FROM b AS c\n',
      'RUN x\n',
      'ENV a=1\n',
      '# c\n',
      '\\\n',
      '\r\n',
      '  ',
    ),
    fc.constantFrom(
      'COPY <<E /\nb\nE\n',
      'ONBUILD RUN x\n',
      '# escape=`\n',
      '`\n',
      '\\',
      '"line":3',
    ),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      check(pieces.join(''), memory);
    }),
  );
});
