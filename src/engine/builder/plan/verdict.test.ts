/**
 * The editor's verdict is the builder's: what the planner rejects, on real, mutated and hostile files, the linter reports
 * as an error, and what the linter calls a mistake of the file is no plan.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { lintDockerfile } from '../../../lib/dockerfile/lint/lint.ts';
import { ruleOf } from '../../../lib/dockerfile/lint/table.ts';
import { parseDockerfile } from '../../../lib/dockerfile/parse.ts';
import type { Problem } from '../../../lib/dockerfile/syntax.ts';
import { planBuild, type BaseImage, type Plan } from './plan.ts';

const AMD64 = 'linux/amd64';
const BUSYBOX: BaseImage = {
  config: { Env: ['PATH=/bin'], Cmd: ['sh'], WorkingDir: '/' },
  author: undefined,
  platform: AMD64,
};

/** Every image is there, so that nothing but the file itself is judged. */
class EveryImage extends Map<string, BaseImage> {
  override get(): BaseImage {
    return BUSYBOX;
  }
}

/** Errors of the linter that are no mistakes of the file: advice, and what the registry has to say. */
const ADVICE = new Set(['NoSudo', 'UseCopy', 'EnvSelfReference', 'InvalidReferenceFormat']);

const UP = new URL('../../../../', import.meta.url);
const CORPUS: readonly string[] = [...examples(), ...files()];

function examples(): string[] {
  const pages = new URL('docs/rules/', UP);
  return readdirSync(pages).flatMap((name) =>
    [...readFileSync(new URL(name, pages), 'utf8').matchAll(/```dockerfile\n([\s\S]*?)\n```/g)].map(
      ([, text]) => `${text ?? ''}\n`,
    ),
  );
}

function files(): string[] {
  const folders = ['src/lib/dockerfile/', 'src/lib/dockerfile/format/', 'src/engine/builder/plan/'];
  return folders.flatMap((folder) => {
    const data = new URL(`${folder}testdata/`, UP);
    return readdirSync(data)
      .filter((name) => /\.dockerfile$/i.test(name))
      .map((name) => readFileSync(new URL(name, data), 'utf8'));
  });
}

function errorsOf(text: string): readonly string[] {
  return lintDockerfile(parseDockerfile(text))
    .problems.filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);
}

/** Advice on the file, or a mistake in a shell script: those come to light when the script runs. */
function isAdvice(code: string): boolean {
  const names = ruleOf(code)?.aliases ?? [];
  return ADVICE.has(code) || names.some((name) => name.startsWith('SC'));
}

/** What the builder rejects with, whichever stage is asked for; undefined when it plans them all. */
function rejectionOf(text: string): Plan | undefined {
  const file = parseDockerfile(text);
  const targets = file.stages.length === 0 ? [''] : file.stages.map(({ index }) => String(index));
  for (const target of targets) {
    const plan = planBuild({
      file,
      buildArgs: {},
      labels: {},
      target,
      buildPlatform: AMD64,
      targetPlatform: '',
      network: 'default',
      images: new EveryImage(),
    });
    if (plan.kind === 'invalid') return plan;
  }
  return undefined;
}

/** Where the two differ; undefined where they agree. */
function difference(text: string): string | undefined {
  const errors = errorsOf(text);
  const rejection = rejectionOf(text);
  if (rejection?.kind !== 'invalid') {
    const mistakes = errors.filter((code) => !isAdvice(code));
    return mistakes.length === 0 ? undefined : `the builder takes what is ${mistakes.join(' ')}`;
  }
  if (rejection.unsupported || errors.length > 0) return undefined;
  const mistakes = rejection.problems.filter((problem) => isMistake(problem, text));
  return mistakes.length === 0
    ? undefined
    : `the builder rejects: ${mistakes.map(({ message }) => message).join('; ')}`;
}

/** What the file alone decides: no feature that this builder lacks, no place in an image, no value of a variable. */
function isMistake({ message, range }: Problem, text: string): boolean {
  if (/is not implemented|cannot be the root/.test(message)) return false;
  // A directory of Windows, which only its own builder knows for one.
  if (message.endsWith('\\/')) return false;
  if (/quote is opened|^missing|modifier|substitution/.test(message)) return true;
  return !text.slice(range.start.offset, range.end.offset).includes('$');
}

function assertSame(texts: Iterable<string>): number {
  let rejected = 0;
  for (const text of texts) {
    assert.equal(difference(text), undefined, text.slice(0, 2000));
    if (rejectionOf(text) !== undefined) rejected++;
  }
  return rejected;
}

/** Numbers from 0 to 1, the same ones for a seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const KEYWORDS = (
  'FROM RUN COPY ADD ENV ARG LABEL EXPOSE CMD ENTRYPOINT HEALTHCHECK ONBUILD SHELL STOPSIGNAL USER VOLUME WORKDIR ' +
  'MAINTAINER NONE AS scratch from copy'
).split(' ');

const PIECES: readonly string[] = [
  ...KEYWORDS,
  ...['--from=', '--mount=type=', '--platform=', '--chown=', '--chmod=', '--link', '--interval='],
  ...[
    '--network=',
    '--security=',
    '--exclude=',
    '--parents',
    '--checksum=',
    '--keep-git-dir',
    '--',
  ],
  ...[
    '$',
    '${',
    '}',
    '${x:-',
    '${x?',
    '${x#',
    '$x',
    '"',
    "'",
    '\\',
    '\n',
    '\\\n',
    '\r\n',
    '\t',
    ' ',
  ],
  ...['<<EOF', '<<-"E"', '\nEOF\n', '[', ']', ',', '=', '#', '# escape=`\n', '# syntax=x\n', '`\n'],
  ...['# check=error=true\n', '1', '0x', '-', ':', '@', '/', '..', 'é', '\ufeff', '70000', '8-7'],
  ...[
    '80/foo',
    'sha256:',
    '1s',
    '-1s',
    'SIGFOO',
    '\0',
    '{}',
    '["a", "b"]',
    '["a", 1]',
    'a=b',
    'a b',
  ],
  ...['type=bind,target=/x', 'type=cache', 'id=', 'source=', 'true', 'maybe', 'linux/arm64', '😀'],
];

function* mutations(seed: number, count: number): Generator<string> {
  const random = randomFrom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const mutate = (text: string): string => {
    const parts = text.match(/\w+|\s|./gsu) ?? [];
    const at = Math.floor(random() * (parts.length + 1));
    const kind = Math.floor(random() * 5);
    if (kind === 0) parts.splice(at, 1 + Math.floor(random() * 3));
    else if (kind === 1) parts.splice(at, 0, pick(PIECES));
    else if (kind === 2) parts.splice(at, 1, pick(PIECES));
    else if (kind === 3)
      parts.splice(at, 0, `\n${pick(KEYWORDS)} ${pick(PIECES)} ${pick(PIECES)}\n`);
    else parts.splice(at, 0, `\n${pick(pick(CORPUS).split('\n'))}\n`);
    return parts.join('');
  };
  for (let made = 0; made < count; made++) {
    let text = pick(CORPUS);
    for (let times = 1 + Math.floor(random() * 3); times > 0; times--) text = mutate(text);
    yield text;
  }
}

describe("the editor's verdict on a Dockerfile is the builder's", () => {
  it('on the files of the documentation and of the tests', () => {
    const rejected = assertSame(CORPUS);
    assert.ok(rejected > 20 && rejected < CORPUS.length - 100, String(rejected));
  });

  it('on thousands of their mutations', () => {
    const rejected = assertSame(mutations(20_250_101, 6000));
    assert.ok(rejected > 1500 && rejected < 5500, String(rejected));
  });

  it('on hostile ones', () => {
    const stages = Array.from(
      { length: 600 },
      (_, at) => `FROM s${String(at + 1)} AS s${String(at)}`,
    );
    const lines = [
      'RUN ',
      'COPY <<',
      'ENV a=',
      '${a:-',
      '--mount=',
      '["',
      '\\\n',
      '\\\n#\n',
      'ONBUILD ',
    ];
    const hostile = [
      '',
      '\ufeff',
      '\0',
      'FROM',
      'FROM scratch\nCOPY --from=9 a b\n',
      'FROM a AS b\nFROM b AS a\nFROM a\n',
      stages.join('\n'),
      `FROM scratch\nARG a=${'${a:-'.repeat(500)}${'}'.repeat(500)}\nENV b=$a\n`,
      `FROM scratch\n${'RUN x\n'.repeat(4000)}`,
      `FROM scratch\nRUN ${Array.from({ length: 300 }, (_, at) => `<<E${String(at)}`).join(' ')}\n`,
      ...lines.flatMap((line) => [
        `FROM scratch\n${line.repeat(3000)}`,
        `FROM scratch\nRUN ${line.repeat(3000)}\n`,
        `${line.repeat(3000)}\nFROM scratch\n`,
      ]),
    ];
    assertSame(hostile);
  });
});
