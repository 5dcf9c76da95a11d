/** Keeps the tree tidy: file headers, sizes, the code map and what else docs say of it, no lint suppressions, no forbidden names, nothing exported for nobody. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { RULES } from '../../src/lib/dockerfile/lint/table.ts';
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

test('the code map names no folder that is gone', () => {
  const map = /## Code map\n([\s\S]*?)\n## /.exec(read('docs/architecture.md'))?.[1] ?? '';
  const named = [...map.matchAll(/^\| ([^|]*) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, folder = '']) => folder.replace(/\/$/, '')),
  );
  assert.ok(named.length > 100);
  assert.deepEqual(
    named.filter((folder) => !FILES.some((file) => file.startsWith(`${folder}/`))),
    [],
  );
});

test('every test that docs name is there', () => {
  const names = new Set(FILES.map((file) => basename(file)));
  const wrong = FILES.filter((file) => file.endsWith('.md')).flatMap((file) =>
    [...read(file).matchAll(/[\w.-]+\.test\.ts/g)]
      .filter(([name]) => !names.has(name))
      .map(([name]) => `${file}: ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('the list of decisions is complete, and those that are referred to exist', () => {
  const pages = FILES.filter((file) => /^docs\/decisions\/\d/.test(file)).toSorted();
  const listed = read('docs/decisions/README.md')
    .split('\n')
    .filter((line) => line.startsWith('- '));
  const wanted = pages.map((file) => {
    const title = /^# (.*)/.exec(read(file))?.[1] ?? '';
    return `- [${title}](${basename(file)})`;
  });
  assert.deepEqual(listed, wanted);
  const numbers = new Set(pages.map((file) => basename(file).slice(0, 4)));
  const wrong = SOURCES.concat(FILES.filter((file) => file.endsWith('.md'))).flatMap((file) =>
    [...read(file).matchAll(/docs\/decisions\/(\d{4})/g)]
      .filter(([, number = '']) => !numbers.has(number))
      .map(([name]) => `${file}: ${name}`),
  );
  assert.deepEqual(wrong, []);
});

test('README tells how many lint rules there are, and how many have fixes', () => {
  const fixable = RULES.filter((rule) => rule.fixable).length;
  assert.ok(read('README.md').includes(`${RULES.length} rules for Dockerfiles`));
  assert.ok(read('README.md').includes(`${fixable} with fixes`));
});

/** Loaded by their names (`npm run bench -- NAME`). */
const LOADED = /^test\/bench\//;

test('what a file exports for others to call, another one does', () => {
  const texts = new Map(
    FILES.filter((file) => /\.(ts|mjs)$/.test(file)).map((file) => [file, read(file)]),
  );
  const users = new Map<string, string[]>();
  for (const [file, text] of texts)
    for (const word of new Set(text.match(/\w+/g)))
      users.set(word, [...(users.get(word) ?? []), file]);
  const wrong = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/^export (?:async )?(?:abstract )?(?:function\*?|const|class) (\w+)/gm)]
      .map(([, name = '']) => name)
      .filter((name) => {
        const others = (users.get(name) ?? []).filter((other) => other !== file);
        return !others.some((other) => texts.get(other)?.includes(basename(file)));
      })
      .map((name) => `${file}: ${name}`),
  );
  assert.deepEqual(
    wrong.filter((line) => !LOADED.test(line)),
    [],
  );
});

test('the version of package.json, of the sources and of the changelog is one', () => {
  assert.equal((JSON.parse(read('package.json')) as { version: string }).version, VERSION);
  assert.match(read('CHANGELOG.md'), new RegExp(`^## ${VERSION.replaceAll('.', '\\.')}`, 'm'));
});
