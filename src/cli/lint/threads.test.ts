/** Tests of linting on several threads: the same reports in the same order, and an end whatever happens. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EngineError } from '../../lib/errors.ts';
import { FileLinter, type LintSettings } from './file-linter.ts';
import { lintFiles, lintOn } from './threads.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'pinnace-lint-'));
after(() => {
  rmSync(ROOT, { recursive: true });
});

const SETTINGS: LintSettings = {
  configuration: 'search',
  overrides: new Map(),
  context: 'search',
  shellcheck: undefined,
  images: undefined,
  safeties: [],
  env: {},
};

const FOREVER = new AbortController().signal;

function project(name: string, count: number): string[] {
  const folder = join(ROOT, name);
  mkdirSync(folder);
  writeFileSync(join(folder, '.hadolint.yaml'), 'ignored: [DL3008]\nwhat: 1\n');
  return Array.from({ length: count }, (_, number) => {
    const path = join(folder, `${String(number)}.Dockerfile`);
    const text = `FROM debian:${String(number)}\nRUN apt-get install curl${String(number)}\nCOPY none${String(number)} /\n`;
    writeFileSync(path, text);
    return path;
  });
}

test('two threads say what one says, in the order of the files', async () => {
  const paths = project('same', 230);
  const alone = await new FileLinter(SETTINGS, FOREVER).lintFiles(paths);
  assert.equal(alone.reports.length, paths.length);
  assert.ok(alone.reports.every(({ problems }) => problems.length > 0));
  assert.deepEqual(
    [alone.warnings.length, alone.isMisconfigured],
    [1, true],
    'the configuration has a mistake',
  );
  assert.deepEqual(await lintOn(2, paths, { settings: SETTINGS, signal: FOREVER }), alone);
  assert.deepEqual(await lintFiles(paths, SETTINGS, FOREVER), alone);
});

test('threads repair files in their place', async () => {
  const paths = project('repair', 120);
  const settings: LintSettings = { ...SETTINGS, safeties: ['safe'] };
  const { reports } = await lintOn(2, paths, { settings, signal: FOREVER });
  for (const [index, path] of paths.entries()) {
    const text = readFileSync(path, 'utf8');
    assert.match(text, /apt-get install -y curl/);
    assert.equal(reports[index]?.text, text);
  }
});

test('a file that cannot be read is told by its name, and the others are judged', async () => {
  const paths = project('broken', 150);
  const gone = join(ROOT, 'broken', 'gone.Dockerfile');
  const mixed = [gone, ...paths, gone];
  const { reports, failures } = await lintOn(2, mixed, { settings: SETTINGS, signal: FOREVER });
  assert.equal(reports.length, paths.length);
  assert.deepEqual(failures, [`${gone} does not exist`, `${gone} does not exist`]);
});

test('linting on threads can be cancelled', async () => {
  const paths = project('cancelled', 200);
  const stop = new AbortController();
  const running = lintOn(2, paths, { settings: SETTINGS, signal: stop.signal });
  stop.abort();
  await assert.rejects(
    running,
    (error) => error instanceof EngineError && error.kind === 'cancelled',
  );
  await assert.rejects(lintOn(2, paths, { settings: SETTINGS, signal: stop.signal }));
});
