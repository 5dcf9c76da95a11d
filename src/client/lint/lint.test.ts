/** Tests of the linter's view of the disk: which files are Dockerfiles, their configuration, context and repair. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import { lintDockerfile } from '../../lib/dockerfile/lint/lint.ts';
import { ConfigurationFinder, readConfigurationFile } from './configuration.ts';
import { contextFacts, contextPaths } from './context.ts';
import { findDockerfiles, isDockerfileName, readDockerfile } from './files.ts';
import { fixText } from './fix.ts';
import { replaceFile } from './replace.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'pinnace-lint-'));
after(() => rmSync(ROOT, { recursive: true, force: true }));

function tree(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(ROOT, name);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test('Dockerfiles are known by their names', () => {
  const yes = [
    'Dockerfile',
    'Containerfile',
    'Dockerfile.dev',
    'api.Dockerfile',
    'x.dockerfile',
    'dockerfile',
  ];
  const no = [
    'Dockerfile.dockerignore',
    'dockerfile.json',
    'mydockerfile',
    'Dockerfile.md',
    'Dockerfile~',
    'dockerfiles',
  ];
  assert.deepEqual(
    yes.filter((name) => !isDockerfileName(name)),
    [],
  );
  assert.deepEqual(no.filter(isDockerfileName), []);
});

test('folders are searched without following links, and what is named is taken whatever its name', () => {
  const root = tree('find', {
    Dockerfile: '',
    'b/x.Dockerfile': '',
    'node_modules/Dockerfile': '',
    'a/other': '',
    'a/Dockerfile.dev': '',
  });
  symlinkSync(root, join(root, 'a', 'loop'));
  const { paths, failures } = findDockerfiles([join(root, 'a', 'other'), root, root]);
  const found = paths.map((path) => path.slice(root.length + 1));
  assert.deepEqual(failures, []);
  assert.deepEqual(found, ['a/other', 'Dockerfile', 'a/Dockerfile.dev', 'b/x.Dockerfile']);
  const none = join(root, 'none');
  assert.deepEqual(findDockerfiles([none, root]).failures, [`${none} does not exist`]);
  assert.equal(readDockerfile(join(root, 'Dockerfile')).length, 0);
});

test('the nearest configuration above a file counts', () => {
  const root = tree('config', {
    '.hadolint.yaml': 'ignored: [DL3006]\n',
    'sub/.hadolint.yml': 'ignored: [DL3007]\n',
    'home/.config/hadolint.yaml': 'no-fail: true\n',
  });
  const finder = new ConfigurationFinder({ HOME: join(root, 'home') });
  assert.equal(
    finder.forFolder(join(root, 'sub', 'deep')).path,
    join(root, 'sub', '.hadolint.yml'),
  );
  assert.equal(finder.forFolder(join(root, 'other')).path, join(root, '.hadolint.yaml'));
  const outside = new ConfigurationFinder({ HOME: join(root, 'home') }).forFolder('/');
  assert.equal(outside.configuration.noFail, true);
  assert.throws(() => readConfigurationFile(join(root, 'none.yaml')), /does not exist/);
});

test('COPY sources are found, absent or ignored', () => {
  const root = tree('context', {
    Dockerfile: '',
    '.dockerignore': 'secret\n*.log\n!keep.log\nlib\n',
    'src/a.c': '',
    'src/b.c': '',
    secret: '',
    'x.log': '',
    'keep.log': '',
    'lib/z': '',
    '[odd]': '',
  });
  const file = parseDockerfile(
    'FROM a\nCOPY src/*.c secret none *.log lib /x/\nCOPY src /y\nCOPY --from=b /etc /z\nADD https://x/y /q\nCOPY . /all\n',
  );
  const facts = contextFacts(join(root, 'Dockerfile'), contextPaths(file));
  const judged = [
    'src/*.c',
    'src',
    'src/*.h',
    'secret',
    'none',
    '*.log',
    'x.log',
    'lib',
    '.',
    'a/../src',
    's?c/a.c',
  ];
  assert.deepEqual(
    judged.map((path) => facts?.source(path)),
    [
      'found',
      'found',
      'absent',
      'ignored',
      'absent',
      'found',
      'ignored',
      'ignored',
      'found',
      'absent',
      'found',
    ],
  );
});

test('the context is the nearest folder with the sources, or the one that is given', () => {
  const root = tree('guess', {
    '.git/HEAD': '',
    'docker/api/Dockerfile': '',
    'package.json': '',
    'docker/api/run.sh': '',
  });
  const path = join(root, 'docker', 'api', 'Dockerfile');
  const both = parseDockerfile('FROM a\nCOPY package.json docker/api/run.sh /x/\n');
  assert.equal(contextFacts(path, contextPaths(both))?.source('package.json'), 'found');
  const nowhere = parseDockerfile('FROM a\nCOPY dist /x/\n');
  assert.equal(contextFacts(path, contextPaths(nowhere)), undefined);
  assert.equal(
    contextFacts(path, contextPaths(nowhere), { context: root })?.source('dist'),
    'absent',
  );
});

test('an own ignore file of the Dockerfile comes before the common one', () => {
  const root = tree('own', {
    Dockerfile: '',
    'Dockerfile.dockerignore': 'a\n',
    '.dockerignore': 'b\n',
    a: '',
    b: '',
  });
  const facts = contextFacts(
    join(root, 'Dockerfile'),
    contextPaths(parseDockerfile('FROM x\nCOPY a b /x/\n')),
  );
  assert.deepEqual([facts?.source('a'), facts?.source('b')], ['ignored', 'found']);
});

const lint = (text: string) => Promise.resolve(lintDockerfile(parseDockerfile(text)).problems);

test('fixes are applied until none is left', async () => {
  const text = 'FROM debian:12 as B\nRUN apt install curl=1\nMAINTAINER me\nCMD run\n';
  const { text: fixed, count } = await fixText(text, lint, ['safe']);
  assert.equal(
    fixed,
    'FROM debian:12 AS b\nRUN apt-get install -y curl=1\nLABEL org.opencontainers.image.authors="me"\nCMD run\n',
  );
  assert.equal(count, 5);
  const suggested = await fixText(text, lint, ['safe', 'suggestion']);
  assert.equal(suggested.text.includes('CMD ["run"]'), true);
});

test('a fixed file is written whole, with its mode, and never over something else', () => {
  const root = tree('write', { Dockerfile: 'FROM a:1\n' });
  const path = join(root, 'Dockerfile');
  chmodSync(path, 0o640);
  replaceFile(path, 'FROM a:1\n', 'FROM b:1\n');
  assert.equal(readFileSync(path, 'utf8'), 'FROM b:1\n');
  assert.equal(statSync(path).mode & 0o777, 0o640);
  symlinkSync(path, join(root, 'link'));
  replaceFile(join(root, 'link'), 'FROM b:1\n', 'FROM c:1\n');
  assert.equal(readFileSync(path, 'utf8'), 'FROM c:1\n');
  assert.ok(lstatSync(join(root, 'link')).isSymbolicLink());
  assert.throws(() => replaceFile(path, 'FROM a:1\n', 'x'), /was changed meanwhile/);
  writeFileSync(path, Buffer.from([0x46, 0xff]));
  assert.throws(() => replaceFile(path, 'F\ufffd', 'x'), /not UTF-8/);
});

test('the context is the one that a compose file or devcontainer.json names', () => {
  const root = mkdtempSync(join(tmpdir(), 'pinnace-lint-said-'));
  mkdirSync(join(root, 'docker'));
  mkdirSync(join(root, 'site'));
  writeFileSync(join(root, 'site', 'here.txt'), '');
  writeFileSync(join(root, 'docker', 'near.txt'), '');
  const path = join(root, 'docker', 'Dockerfile');
  const file = parseDockerfile('FROM a\nCOPY near.txt here.txt /\n');
  assert.equal(contextFacts(path, contextPaths(file))?.source('near.txt'), 'found');
  writeFileSync(
    join(root, 'compose.yaml'),
    'services: {web: {build: {context: site, dockerfile: ../docker/Dockerfile}}}\n',
  );
  const facts = contextFacts(path, contextPaths(file));
  assert.deepEqual(
    ['near.txt', 'here.txt'].map((name) => facts?.source(name)),
    ['absent', 'found'],
  );
  rmSync(root, { recursive: true, force: true });
});
