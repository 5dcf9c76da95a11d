/** Tests of configurations that are found where anybody may have put anything: none is waited for, none stops the linter. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import { EngineError } from '../../lib/errors.ts';
import { DISK } from '../build/disk.ts';
import { ConfigurationFinder, readConfigurationFile } from './configuration.ts';
import { contextFacts, contextPaths } from './context.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'pinnace-configuration-'));
after(() => rmSync(ROOT, { recursive: true, force: true }));
const ENV = { HOME: join(ROOT, 'home') };

/** What is no file that can be read, and how it comes to be. */
const HOSTILE: Readonly<Record<string, (path: string) => void>> = {
  'a folder': (path) => mkdirSync(path),
  'a pipe': (path) => execFileSync('mkfifo', [path]),
  'a link to an endless device': (path) => symlinkSync('/dev/zero', path),
  'a file of terabytes': (path) => {
    writeFileSync(path, '');
    truncateSync(path, 2 ** 42);
  },
};

for (const [name, make] of Object.entries(HOSTILE)) {
  const folder = join(ROOT, name);
  test(`${name} as .hadolint.yaml is a problem of its own, and the defaults hold`, () => {
    mkdirSync(folder);
    const path = join(folder, '.hadolint.yaml');
    make(path);
    const { configuration, path: found } = new ConfigurationFinder(ENV).forFolder(folder);
    assert.equal(found, path);
    assert.equal(configuration.problems.length, 1);
    assert.match(configuration.problems[0]?.message ?? '', /\.hadolint\.yaml cannot be read/);
    assert.equal(configuration.severities.size, 0);
    assert.throws(
      () => readConfigurationFile(path),
      (error) => error instanceof EngineError && error.kind === 'invalid',
    );
  });

  test(`${name} as .dockerignore leaves nothing out`, () => {
    make(join(folder, '.dockerignore'));
    writeFileSync(join(folder, 'here'), '');
    const file = parseDockerfile('FROM a\nCOPY here /x/\n');
    const facts = contextFacts(join(folder, 'Dockerfile'), contextPaths(file), { disk: DISK });
    assert.equal(facts?.source('here'), 'found');
  });
}

test('links that lead nowhere are as if they were not there', () => {
  const folder = join(ROOT, 'links');
  mkdirSync(folder);
  symlinkSync(join(folder, 'none'), join(folder, '.hadolint.yaml'));
  symlinkSync('.hadolint.yml', join(folder, '.hadolint.yml'));
  writeFileSync(join(ROOT, '.hadolint.yaml'), 'ignored: [DL3006]\n');
  const { path } = new ConfigurationFinder(ENV).forFolder(folder);
  assert.equal(path, join(ROOT, '.hadolint.yaml'));
});
