/** Tests of hover; `|` marks the cursor. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../../../src/lib/dockerfile/parse.ts';
import { hoverAt } from './hover.ts';
import type { ImageDescription, ImageFacts } from './image.ts';

function hover(marked: string, images?: ImageFacts): { on: string; text: string } | undefined {
  const offset = marked.indexOf('|');
  const file = parseDockerfile(marked.replace('|', ''));
  const found = hoverAt(file, offset, { images });
  if (found?.range === undefined) return undefined;
  const { start, end } = found.range;
  const from = file.lines.offset(start.line, start.character);
  const to = file.lines.offset(end.line, end.character);
  assert.ok(typeof found.contents === 'object' && 'value' in found.contents);
  return { on: file.text.slice(from, to), text: found.contents.value };
}

const CASES: readonly (readonly [string, string, RegExp])[] = [
  ['FRO|M a\n', 'FROM', /begins a stage[\s\S]*docs\.docker\.com/i],
  ['FROM a\nONBUILD R|UN x\n', 'RUN', /new layer/],
  ['FROM a\nONB|UILD RUN x\n', 'ONBUILD', /keeps an instruction/i],
  ['# esc|ape=`\nFROM a\n', '# escape=`', /backtick/],
  ['FROM a\nRUN --net|work=none x\n', '--network', /network of this one command/i],
  ['FROM a\nRUN --network=no|ne x\n', 'none', /no network but loopback/],
  ['FROM a\nRUN --mount=type=cache,sha|ring=locked,target=/x y\n', 'sharing', /two builds/],
  ['FROM a\nRUN --mount=type=cache,sharing=lo|cked,target=/x y\n', 'locked', /waits/],
  ['FROM a\nRUN --mount=type=ca|che,target=/x y\n', 'cache', /keeps its contents/],
  ['FROM a\nRUN --mount=type=cache,ds|t=/x y\n', 'dst', /path in the container/],
  ['FROM a\nENV A=1\nWORKDIR /${A|:-x}\n', 'A', /line 2[\s\S]*A=1[\s\S]*unset or empty/],
  ['FROM a\nENV A=1\nRUN echo "$|A"\n', 'A', /A=1/],
  ['FROM a\nENV A=1 B=${|A}2\n', 'A', /no value in this file/],
  ['FROM a\nENV A|=1\n', 'A', /A=1/],
  ['FROM a\nARG V|\n', 'V', /only the build knows/],
  ['FROM --platform=$BUILD|PLATFORM a\n', 'BUILDPLATFORM', /machine that builds/],
  ['FROM a\nARG TARGET|ARCH\n', 'TARGETARCH', /architecture/],
  ['FROM a AS one\nRUN x\nFROM o|ne\n', 'one', /Stage 0 `one`[\s\S]*1 instruction, used 1 time/],
  ['FROM a AS o|ne\n', 'one', /built unless/],
  ['FROM a\nCOPY <<E|OF /x\na\nb\nEOF\n', 'EOF', /2 lines[\s\S]*expanded/],
  ['FROM a\nEXPOSE 80 54|32/tcp\n', '5432/tcp', /PostgreSQL/],
  ['FROM a\nEXPOSE 80|00-8009/udp\n', '8000-8009/udp', /10 ports, udp/],
  ['FROM a\nSTOPSIGNAL Q|UIT\n', 'QUIT', /SIGQUIT.*3/],
  ['FROM a\nLABEL org.opencontainers.image.so|urce=x\n', 'org.opencontainers.image.source', /OCI/],
  ['FROM scr|atch\n', 'scratch', /empty image/],
  ['FROM no|de:22\n', 'node:22', /docker\.io, tag `22`.*hub\.docker\.com\/_\/node/],
  ['ARG V=22\nFROM no|de:$V\n', 'node:$V', /tag `22`/],
  ['FROM a\nCOPY --from=no|de:22 a b\n', 'node:22', /docker\.io, tag `22`/],
  ['FROM a\nRUN --mount=from=no|de,target=/x y\n', 'node', /docker\.io/],
  ['FROM a\nRUN --mount=type=bind,target=/x|y z\n', '/xy', /`target` \(bind\)/],
  ['FROM a\nADD --checksum=sha|256:x y z\n', '--checksum=sha256:x', /digest that a remote/],
  ['FROM a\nRUN echo $HTTP_PR|OXY\n', 'HTTP_PROXY', /proxy for HTTP/],
  ['FROM a\nRUN <<E\necho ${TARGET|ARCH}\nE\n', 'TARGETARCH', /no value[\s\S]*architecture/],
  ['FROM a\r\nONBUILD COPY --par|ents a b\r\n', '--parents', /directories/],
  ['FROM a\nENV PATH=/x:$PATH\nRUN $PA|TH\n', 'PATH', /PATH=\/x:\$PATH\n[\s\S]*base image `a`/],
  ['FROM a\nENV B=$C/y\nENV D=$B/z\nRUN $|D\n', 'D', /D=\$B\/z\n[\s\S]*`C` is what/],
  ['ARG V=1\nFROM a\nRUN $|V\n', 'V', /no value[\s\S]*`ARG V` in this stage/],
  ['ARG V=1\nFROM a\nWORKDIR /$|V\n', 'V', /no value[\s\S]*`ARG V` in this stage/],
  ['FROM scratch\nENV B=$C/y\nRUN $|B\n', 'B', /B=\/y\n/],
  ['FROM a\nENV B=${C:-d}/y\nRUN $|B\n', 'B', /B=d\/y\n/],
  ['FROM a\nRUN --mount=type=cache,\\\nsha|ring=locked,target=/x y\n', 'sharing', /two builds/],
  ['# escape=`\nFROM a\nRUN --mount=type=cache,`\nsharing=lo|cked y\n', 'locked', /waits/],
  ['\ufefffr|om a\n', 'from', /begins a stage/i],
  ['FROM a\nENV 😀=1 A=2\nRUN 😀 $A|', 'A', /A=2/],
  ['FROM a\n# hadolint ignore=DL3008,DL30|04\nRUN x\n', 'DL3004', /`NoSudo`/],
  ['# check=skip=FromAs|Casing;error=true\nFROM a\n', 'FromAsCasing', /`FromAsCasing`/],
];

for (const [text, on, wanted] of CASES) {
  test(`hover explains ${JSON.stringify(text)}`, () => {
    const found = hover(text);
    assert.equal(found?.on, on);
    assert.match(found.text, wanted);
  });
}

test('nothing is said of plain words, empty lines and unknown instructions', () => {
  for (const text of [
    'FROM a\nRUN ec|ho\n',
    'FROM a\n|\n',
    'FROM a\nFO|O x\n',
    '|',
    'FROM a\nLABEL x|=y\n',
    'FROM a\nRUN echo $F|OO\n',
    'FROM a\nCOPY -- --fr|om=x /y\n',
    'FROM a\nRUN x --mount|=y\n',
    'FROM a\n# about DL30|08\n',
    'FROM a\nENV A=1\nCOPY <<"E" /x\n$|A\nE\n',
  ])
    assert.equal(hover(text), undefined, text);
});

test("a base image's configuration is shown when it is known, and as text only", () => {
  const described: ImageDescription = {
    environment: ['PATH=/bin', 'X=`<b>|'],
    shell: [],
    user: '',
    entrypoint: ['/e'],
    command: [],
    directory: '/w',
    ports: ['80/tcp'],
    volumes: [],
    size: 4_200_000,
    platforms: ['linux/amd64'],
    digest: '',
    created: '2026-01-02T03:04:05Z',
    where: 'local',
  };
  const found = hover('FROM a|\n', { describe: () => ({ value: described, pending: false }) });
  for (const part of ['4.2 MB', 'root', '/w', '["/e"]', '80/tcp', 'linux/amd64', '2026-01-02'])
    assert.ok(found?.text.includes(part), part);
  assert.ok(found?.text.includes('X=  b>') === true);
  const facts: ImageFacts = {
    describe: () => ({
      value: { ...described, environment: ['PATH=/bin', 'V=x'] },
      pending: false,
    }),
  };
  assert.match(hover('FROM a AS b\nFROM b\nENV X=$|V\n', facts)?.text ?? '', /`a`[\s\S]*V=x/);
  const joined = hover('FROM a\nENV PATH=/x:$PATH\nRUN $PA|TH\n', facts)?.text ?? '';
  assert.match(joined, /PATH=\/x:\$PATH[\s\S]*From the base image `a`[\s\S]*PATH=\/bin/);
  const pending = hover('FROM a|\n', { describe: () => ({ value: undefined, pending: true }) });
  assert.match(pending?.text ?? '', /looked up/);
});
