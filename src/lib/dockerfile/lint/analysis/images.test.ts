/** Tests of what rules make of base images that are known, and that nothing changes for those that are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDockerfile } from '../../parse.ts';
import { applyEdits } from '../edits.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from '../lint.ts';
import { LintMemory } from '../memory.ts';
import type { LintProblem } from '../rule.ts';
import { imageFacts, type KnownImage } from './images.ts';

const PLAIN: KnownImage = { environment: [], user: '', shell: [], platforms: ['linux/amd64'] };

const IMAGES: Readonly<Record<string, KnownImage>> = {
  'plain:1': PLAIN,
  'app:1': { ...PLAIN, environment: ['APP_HOME=/app'], user: 'app' },
  'zero:1': { ...PLAIN, user: '0:0' },
  'bash:1': { ...PLAIN, shell: ['/bin/bash', '-o', 'pipefail', '-c'] },
  'power:1': { ...PLAIN, shell: ['powershell', '-Command'], platforms: ['windows/amd64'] },
  'cmd:1': { ...PLAIN, platforms: ['windows/amd64'] },
  'windows:1': PLAIN,
};

const facts = () => imageFacts((name) => IMAGES[name]);

function problemsOf(text: string, memory?: LintMemory): readonly LintProblem[] {
  const options = { ...DEFAULT_OPTIONS, images: facts() };
  return lintDockerfile(parseDockerfile(text), options, memory).problems;
}

const codes = (text: string): string[] => problemsOf(text).map(({ code }) => code);

test('the shell that an image sets is the one that reads RUN', () => {
  for (const [image, rules] of [
    ['unknown:1', ['SetPipefail', 'PosixShell']],
    ['plain:1', ['SetPipefail', 'PosixShell']],
    ['bash:1', []],
    ['power:1', []],
    ['cmd:1', []],
    ['windows:1', ['SetPipefail', 'PosixShell']],
  ] as const) {
    const found = codes(`FROM ${image}\nRUN a | b &> c\n`);
    assert.deepEqual(found, rules, image);
    assert.deepEqual(codes(`FROM ${image} AS x\nFROM x\nRUN a | b &> c\n`), rules, image);
  }
  assert.deepEqual(codes('FROM bash:1\nSHELL ["/bin/sh", "-c"]\nRUN a | b\n'), ['SetPipefail']);
});

test('what was said for one shell is not said again for another one', () => {
  const memory = new LintMemory();
  for (const [image, count] of [
    ['plain:1', 1],
    ['bash:1', 0],
    ['power:1', 0],
    ['plain:1', 1],
  ] as const)
    assert.equal(problemsOf(`FROM ${image}\nRUN a | b\n`, memory).length, count, image);
});

test("an image's own shell is wanted for CMD, as one of the file or of its base stage", () => {
  assert.deepEqual(codes('FROM plain:1\nCMD a\n'), ['JSONArgsRecommended']);
  assert.deepEqual(codes('FROM bash:1\nCMD a\n'), []);
  assert.deepEqual(codes('FROM plain:1 AS x\nSHELL ["/bin/bash", "-c"]\nFROM x\nCMD a\n'), []);
  assert.deepEqual(codes('FROM plain:1\nCMD a\nSHELL ["/bin/bash", "-c"]\n'), [
    'JSONArgsRecommended',
  ]);
});

test('a file that stays root goes back to the user of its base image', () => {
  for (const [before, after] of [
    ['FROM app:1\nUSER root\nRUN a\n', 'FROM app:1\nUSER root\nRUN a\nUSER app\n'],
    ['FROM app:1\r\nUSER 0\r\nRUN a', 'FROM app:1\r\nUSER 0\r\nRUN a\r\nUSER app'],
    [
      'FROM app:1 AS b\nUSER root\nFROM b\nRUN a\nEXPOSE 80\nCMD ["b"]\n',
      'FROM app:1 AS b\nUSER root\nFROM b\nRUN a\nUSER app\nEXPOSE 80\nCMD ["b"]\n',
    ],
    ['FROM app:1\nUSER root\nRUN <<E\na\nE\n', 'FROM app:1\nUSER root\nRUN <<E\na\nE\nUSER app\n'],
    ['FROM app:1\nUSER root\nRUN a \\\n', undefined],
    ['FROM plain:1\nUSER root\n', undefined],
    ['FROM zero:1\nUSER root\n', undefined],
    ['FROM unknown:1\nUSER root\n', undefined],
  ] as const) {
    const [found] = problemsOf(before).filter(({ code }) => code === 'LastUserRoot');
    assert.ok(found !== undefined, before);
    if (after === undefined) assert.equal(found.fix, undefined, before);
    else {
      assert.equal(applyEdits(before, found.fix?.edits ?? []), after);
      assert.ok(!codes(after).includes('LastUserRoot'), after);
    }
  }
  assert.deepEqual(codes('FROM app:1\nRUN a\n'), []);
  assert.deepEqual(codes('FROM plain:1\nRUN a\n'), []);
});

test("an image's environment is known, and that a name is not in it", () => {
  assert.deepEqual(codes('FROM app:1\nWORKDIR $APP_HOME\n'), []);
  assert.deepEqual(codes('FROM app:1\nWORKDIR /$OTHER\n'), ['UndefinedVar']);
  assert.deepEqual(codes('FROM unknown:1\nWORKDIR /$OTHER\n'), []);
});
