/** Tests of signature help; `|` marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../../src/lib/dockerfile/parse.ts';
import { INSTRUCTION_KINDS } from '../../src/lib/dockerfile/statement.ts';
import { signatureAt } from './signature.ts';

/** The active signature with its active parameter in angle brackets. */
function shown(marked: string): string {
  const offset = marked.indexOf('|');
  const help = signatureAt(parseDockerfile(marked.replace('|', '')), offset);
  const active = help?.signatures[help.activeSignature ?? 0];
  const parameter = active?.parameters?.[help?.activeParameter ?? 0]?.label;
  if (active === undefined || !Array.isArray(parameter)) return '';
  const [start, end] = parameter;
  const { label } = active;
  return `${label.slice(0, start)}⟨${label.slice(start, end)}⟩${label.slice(end)}`;
}

const CASES: readonly (readonly [string, string])[] = [
  ['FROM |', 'FROM [--platform=platform] ⟨image[:tag][@digest]⟩ [AS name]'],
  ['FROM --p|', 'FROM ⟨[--platform=platform]⟩ image[:tag][@digest] [AS name]'],
  ['FROM a A|', 'FROM [--platform=platform] image[:tag][@digest] ⟨[AS name]⟩'],
  ['FROM --platform=|', '--platform=⟨os/architecture[/variant]⟩'],
  ['FROM a\nCMD [|]', 'CMD ⟨["program", "argument", …]⟩'],
  ['FROM a\nCMD x|', 'CMD ⟨command⟩'],
  ['FROM a\nHEALTHCHECK NONE|', 'HEALTHCHECK ⟨NONE⟩'],
  ['FROM a\nRUN --network=|', '--network=⟨default|none|host⟩'],
  ['FROM a\nRUN --mount=type=tmpfs,size=|', '--mount=type=tmpfs,[target=path],⟨[size=bytes]⟩'],
  [
    'FROM a\nRUN --mount=type=ssh|',
    '--mount=⟨type=ssh⟩,[id=name],[target=path],[required],[mode=mode],[uid=number],[gid=number]',
  ],
  [
    'FROM a\nRUN --mount=type=tmpfs,\\\nsize=|,target=/x y\n',
    '--mount=type=tmpfs,[target=path],⟨[size=bytes]⟩',
  ],
  ['# escape=`\r\nFROM a\r\nrun --network=|`\r\n x\r\n', '--network=⟨default|none|host⟩'],
  ['FROM a\nEXPOSE 80 \\\n|', 'EXPOSE ⟨port[/protocol] …⟩'],
  ['FROM a\nONBUILD WORKDIR |', 'WORKDIR ⟨path⟩'],
];

for (const [text, wanted] of CASES) {
  test(`signature help for ${JSON.stringify(text)}`, () => assert.equal(shown(text), wanted));
}

test('the destination of COPY is the part behind the first source', () => {
  assert.match(shown('FROM a\nCOPY a |'), /⟨destination⟩/);
  assert.match(shown('FROM a\nCOPY |'), /⟨source …⟩/);
  assert.match(shown('FROM a\nCOPY --from|'), /⟨\[--from=/);
  assert.match(shown('FROM a\nCOPY <<E|'), /⟨<<NAME⟩/);
});

test('every instruction has signature help, also within ONBUILD', () => {
  for (const kind of INSTRUCTION_KINDS) {
    assert.notEqual(shown(`FROM a\n${kind} |`), kind === 'ONBUILD' ? 'x' : '', kind);
  }
  for (const text of ['|', 'FROM a\nRU|', '# |', 'FROM a\nRUN <<E\n|x\nE\n'])
    assert.equal(shown(text), '');
});
