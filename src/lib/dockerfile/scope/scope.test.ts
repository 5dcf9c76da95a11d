/** Tests of places, variables and names; `|` marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDockerfile } from '../parse.ts';
import { scriptsOf } from '../shell/scripts.ts';
import type { Dockerfile } from '../syntax.ts';
import { type Names, namesOf, occurrenceAt } from './names.ts';
import { instructionAt, stageAt } from './places.ts';
import { Variables } from './variables.ts';

function marked(text: string): { file: Dockerfile; offset: number } {
  const offset = text.indexOf('|');
  return { file: parseDockerfile(text.replace('|', '')), offset };
}

function names(file: Dockerfile): Names {
  return namesOf(file, scriptsOf(file));
}

/** The file with every occurrence of the name under the cursor in brackets: definitions `[x]`, references `(x)`. */
function shown(text: string): string {
  const { file, offset } = marked(text);
  const found = occurrenceAt(names(file), offset);
  if (found === undefined) return '';
  let result = file.text;
  for (const { range, role } of found.named.occurrences.toSorted(
    (a, b) => b.range.start - a.range.start,
  )) {
    const [open, close] = role === 'definition' ? ['[', ']'] : ['(', ')'];
    result = `${result.slice(0, range.start)}${open}${result.slice(range.start, range.end)}${close}${result.slice(range.end)}`;
  }
  return result;
}

test('an instruction is found on its lines and at their end', () => {
  const { file, offset } = marked('FROM a\nRUN x \\\n  y|\n\nFROM b\n');
  assert.equal(instructionAt(file, offset)?.kind, 'RUN');
  assert.equal(instructionAt(file, offset + 1), undefined);
  assert.equal(stageAt(file, offset + 1)?.index, 0);
  assert.equal(stageAt(file, file.text.length)?.index, 1);
});

test('stages are renamed with all that names them', () => {
  assert.equal(
    shown(
      'FROM a AS bui|ld\nFROM build\nCOPY --from=Build / /\nRUN --mount=type=bind,from=build x\n',
    ),
    'FROM a AS [build]\nFROM (build)\nCOPY --from=(Build) / /\nRUN --mount=type=bind,from=(build) x\n',
  );
  assert.equal(
    shown('FROM a\nFROM b\nCOPY --from=|0 / /\n'),
    '[FROM] a\nFROM b\nCOPY --from=(0) / /\n',
  );
  assert.equal(shown('FROM bu|ild\nFROM x AS build\n'), '');
});

test('a global argument is one with the stages that declare it again', () => {
  assert.equal(
    shown('ARG V|=1\nFROM a:$V\nARG V\nRUN echo $V "${V:-x}" \'$V\'\nFROM b\nENV V=2\nRUN $V\n'),
    'ARG [V]=1\nFROM a:$(V)\nARG [V]\nRUN echo $(V) "${(V):-x}" \'$V\'\nFROM b\nENV V=2\nRUN $V\n',
  );
});

test('variables are inherited from the base stage, and hidden where a script sets them', () => {
  assert.equal(
    shown('FROM a AS b\nENV X|=1\nFROM b\nWORKDIR /$X\nRUN X=${X}2 && echo $X\n'),
    'FROM a AS b\nENV [X]=1\nFROM b\nWORKDIR /$(X)\nRUN X=${(X)}2 && echo $X\n',
  );
});

test('variables in arithmetic are named without a dollar, up to where it sets them', () => {
  assert.equal(
    shown('FROM a\nARG N|=1\nRUN a $((N + 1)) $((x[N])) $((N += N)) $((N))\nRUN echo $((N*$N))\n'),
    'FROM a\nARG [N]=1\nRUN a $(((N) + 1)) $((x[N])) $(((N) += N)) $((N))\nRUN echo $(((N)*$(N)))\n',
  );
});

test('heredoc marks are one name with the line that ends the body', () => {
  assert.equal(
    shown('FROM a\nENV W=1\nCOPY <<-"EOF|" /x\nEOF2\n\tEOF\n'),
    'FROM a\nENV W=1\nCOPY <<-"[EOF]" /x\nEOF2\n\t(EOF)\n',
  );
  assert.equal(
    shown('FROM a\nENV W|=1\nCOPY <<A <<"B" /\n$W\'$W\'\nA\n$W\nB\n'),
    'FROM a\nENV [W]=1\nCOPY <<A <<"B" /\n$(W)\'$(W)\'\nA\n$W\nB\n',
  );
});

test('deferred instructions have variables of their own', () => {
  assert.equal(
    shown('FROM a\nONBUILD ARG V|\nONBUILD RUN $V\nRUN $V\n'),
    'FROM a\nONBUILD ARG [V]\nONBUILD RUN $(V)\nRUN $V\n',
  );
});

test('the value of a variable is the one in force at the line', () => {
  const at = (text: string, name: string): string => {
    const { file, offset } = marked(text);
    const found = new Variables(file).lookup(name, offset);
    return found === undefined ? '-' : `${found.origin} ${found.value ?? '?'}`;
  };
  assert.equal(at('ARG V=1\nARG W=$V.2\nFROM a:|$W\n', 'W'), 'ARG 1.2');
  assert.equal(at('ARG V=1\nFROM a\nRUN |\n', 'V'), '-');
  assert.equal(at('ARG V=1\nFROM a\nARG V\nRUN |\n', 'V'), 'ARG 1');
  assert.equal(at('FROM a\nENV V=1\nENV V=2 W=$V\nRUN |\n', 'W'), 'ENV 1');
  assert.equal(at('FROM a\nENV V=1\nARG V=2\nRUN |\n', 'V'), 'ENV 1');
  assert.equal(at('FROM a\nARG V\nENV W=x$V\nRUN |\n', 'W'), 'ENV ?');
  assert.equal(at('FROM a AS b\nENV V=1\nFROM b\nRUN |\n', 'V'), 'ENV 1');
  assert.equal(at('FROM --platform=$BUILDPLATFORM a|\n', 'BUILDPLATFORM'), 'predefined ?');
  assert.equal(at('FROM a\nRUN |\n', 'BUILDPLATFORM'), '-');
  assert.equal(at('FROM a\nRUN |\n', 'http_proxy'), 'predefined ?');
});

test('growing values and long chains of stages stay cheap', () => {
  const growth = `FROM a\n${'ENV A=$A$A$A$A\n'.repeat(60)}RUN x\n`.replace('A=$A', 'A=xxxx');
  const file = parseDockerfile(growth);
  assert.equal(new Variables(file).at(growth.length - 2).get('A')?.value, undefined);
  const chain = Array.from(
    { length: 3000 },
    (_, n) => `FROM s${String(n)} AS s${String(n + 1)}\nRUN $X\n`,
  );
  const long = parseDockerfile(chain.join(''));
  assert.equal(names(long).occurrences.length, 5999);
  assert.equal(new Variables(long).at(long.text.length).size, 0);
});

test('whatever the text, names are in order and lie within it', () => {
  const piece = fc.constantFrom(
    'FROM a AS b\n',
    'ARG X=1\n',
    'RUN $X <<E\n',
    'E\n',
    'COPY --from=b <<"F" /\n',
    '${X:-',
    'ENV X=$X\n',
    '\\\n',
    "'",
    '"',
    '\r\n',
    '\t',
    '`',
    'ONBUILD ',
    '# escape=`\n',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 25 }), (pieces) => {
      const file = parseDockerfile(pieces.join(''));
      let last = 0;
      for (const { range, named } of names(file).occurrences) {
        assert.ok(range.start >= last && range.end >= range.start && range.end <= file.text.length);
        assert.ok(named.occurrences.length > 0);
        last = range.start;
      }
      new Variables(file).at(file.text.length);
    }),
    { numRuns: 300 },
  );
});
