/** Keeps the tree tidy: file headers, sizes, the code map, no lint suppressions, no forbidden names. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { VERSION } from '../../src/lib/version.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** Every file that git knows or would add. */
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '');

const isTest = (file: string): boolean => /\.test\.ts$|_tests?\.rs$|^test\//.test(file);
const SOURCES = FILES.filter(
  (file) =>
    /\.(ts|mjs|rs)$/.test(file) && !file.startsWith('examples/') && !/testdata|fixtures/.test(file),
);
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

function offenders(files: readonly string[], isWrong: (file: string) => boolean): string[] {
  return files.filter(isWrong);
}

test('every source file opens with a comment that says what it owns', () => {
  const wrong = offenders(SOURCES, (file) => !/^(#!.*\n)?(\/\/!|\/\/ |\/\*\*)/.test(read(file)));
  assert.deepEqual(wrong, []);
});

/** Tables of data, longer than a page of logic may be. */
const TABLES = new Set(['src/engine/runtime/seccomp-default.ts', 'src/lib/api/containers.ts']);

test('no source file is longer than 400 lines, no test longer than 800', () => {
  const wrong = SOURCES.filter((file) => !TABLES.has(file)).flatMap((file) => {
    const lines = read(file).split('\n').length - 1;
    return lines > (isTest(file) ? 800 : 400) ? [`${file}: ${lines}`] : [];
  });
  assert.deepEqual(wrong, []);
});

test('no lint rule is switched off in a file', () => {
  const marks = [
    ['eslint', 'disable'].join('-'),
    ['@ts', 'ignore'].join('-'),
    ['@ts', 'expect-error'].join('-'),
    ['@ts', 'nocheck'].join('-'),
    ['prettier', 'ignore'].join('-'),
  ];
  const wrong = offenders(SOURCES, (file) => marks.some((mark) => read(file).includes(mark)));
  assert.deepEqual(wrong, []);
});

test('no Rust lint is switched off, but for unsafe code in its one module', () => {
  const wrong = offenders(
    SOURCES.filter((file) => file.endsWith('.rs') && file !== 'native/src/sys/mod.rs'),
    (file) => /#!?\[(allow|expect)\(/.test(read(file)),
  );
  assert.deepEqual(wrong, []);
});

test('files are named in kebab-case (Rust: snake_case), and never utils, helpers, common or manager', () => {
  const wrong = offenders(SOURCES, (file) => {
    const name = basename(file).replace(/\.(test\.ts|ts|mjs|rs)$/, '');
    const shape = file.endsWith('.rs') ? /^[a-z0-9_]+$/ : /^[a-z0-9.-]+$/;
    return !shape.test(name) || /(^|[-_.])(utils?|helpers?|common|manager)([-_.]|$)/.test(name);
  });
  assert.deepEqual(wrong, []);
});

test('unsafe code stays in native/src/sys', () => {
  const wrong = offenders(
    SOURCES.filter((file) => file.endsWith('.rs') && !file.startsWith('native/src/sys')),
    (file) => /\bunsafe\s*(\{|fn|impl)/.test(read(file)),
  );
  assert.deepEqual(wrong, []);
});

test('no folder but a table of rules has more than 20 source files of its own', () => {
  const counts = new Map<string, number>();
  for (const file of SOURCES.filter((name) => !isTest(name)))
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  assert.deepEqual(
    [...counts].filter(([, count]) => count > 20),
    [],
  );
});

test('the code map of docs/architecture.md names every folder of the source', () => {
  const map = read('docs/architecture.md');
  const folders = new Set(
    SOURCES.map((file) => dirname(file)).filter((dir) =>
      /^(src|language-server|native\/src|scripts|test)/.test(dir),
    ),
  );
  const missing = [...folders].filter(
    (dir) => !map.includes(`\`${dir}\``) && !map.includes(`\`${dir}/\``),
  );
  assert.deepEqual(missing, []);
});

test('the version of package.json, of the sources and of the changelog is one', () => {
  assert.equal((JSON.parse(read('package.json')) as { version: string }).version, VERSION);
  assert.match(read('CHANGELOG.md'), new RegExp(`^## ${VERSION.replaceAll('.', '\\.')}`, 'm'));
});
