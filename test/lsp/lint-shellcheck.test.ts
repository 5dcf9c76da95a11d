/** `pinnace lint` with ShellCheck's own program: the real one, one that fails, none; its findings among ours. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findShellCheck } from '../../src/client/lint/shellcheck/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'pinnace-lint-shellcheck-'));
const scratch = mkdtempSync(join(tmpdir(), 'pinnace-lint-scratch-'));
after(() => {
  for (const each of [folder, scratch]) rmSync(each, { recursive: true, force: true });
});

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;
const real = findShellCheck('', process.env);
assert.ok(real !== undefined, 'shellcheck is not in the PATH: apt-get install shellcheck');

interface Item {
  readonly code: string;
  readonly line: number;
  readonly column: number;
  readonly file: string;
}

function lint(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const env = { ...process.env, TMPDIR: scratch };
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'lint', ...args], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  });
  assert.deepEqual(readdirSync(scratch), [], 'the scripts are left behind');
  return { status, stdout, stderr };
}

function items(...args: string[]): readonly Item[] {
  return JSON.parse(lint('--format', 'json', ...args).stdout) as Item[];
}

const TEXT = 'FROM debian:12\nRUN x \\\n  # why\n  && [ 1 = 1 ] && rm $foo\nRUN y=1 z\n';

function file(name: string, text = TEXT): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const shown = ({ code, line, column }: Item): string => `${code}@${String(line)}:${String(column)}`;

test('its findings stand among ours at their places, and nothing is told twice', () => {
  const path = file('Dockerfile');
  const own = ['QuoteVariable@4:22', 'UnassignedVariable@4:22'];
  const all = ['QuoteVariable@4:22', 'SC2050@4:10', 'UnassignedVariable@4:22'];
  assert.deepEqual(items(path).map(shown).sort(), all);
  assert.deepEqual(items('--shellcheck', 'off', path).map(shown).sort(), own);
  assert.deepEqual(items('--shellcheck', real, path).map(shown).sort(), all);
});

test('its codes are ignored and given levels like ours, on the command line and in comments', () => {
  const path = file('Dockerfile');
  const codes = (...args: string[]): readonly string[] => items(...args).map(({ code }) => code);
  assert.ok(!codes('--ignore', 'SC2050', path).includes('SC2050'));
  const pragma = file(
    'Pragma.Dockerfile',
    TEXT.replace('RUN x', '# hadolint ignore=SC2050\nRUN x'),
  );
  assert.ok(!codes(pragma).includes('SC2050'));
  const { stdout } = lint('--severity', 'sc2050=error', path);
  assert.match(stdout, /4:10 error SC2050: /);
});

test('the other formats have them too; SARIF says where they are explained', () => {
  const path = file('Dockerfile');
  assert.match(lint('--format', 'checkstyle', path).stdout, /line="4" column="10".*SC2050/);
  assert.match(lint('--format', 'github', path).stdout, /line=4,.*col=10.*SC2050/);
  assert.match(
    lint('--format', 'sarif', path).stdout,
    /"helpUri": "https:\/\/www\.shellcheck\.net\/wiki\/SC2050"/,
  );
});

test('many files are checked at once, each script once, and each has its own findings', () => {
  const paths = Array.from({ length: 120 }, (_, number) =>
    file(`${String(number)}.Dockerfile`, `FROM a:1\nRUN [ ${String(number % 60)} = 1 ]\n`),
  );
  const found = items(...paths).filter(({ code }) => code === 'SC2050');
  assert.deepEqual(new Set(found.map((each) => each.file)).size, paths.length);
});

test('its fixes are applied with the other suggestions', () => {
  const path = file('Fix.Dockerfile', 'FROM debian:12\nRUN echo "`date`"\n');
  lint('--fix', path);
  assert.equal(readFileSync(path, 'utf8'), 'FROM debian:12\nRUN echo "`date`"\n');
  lint('--fix-suggestions', path);
  assert.equal(readFileSync(path, 'utf8'), 'FROM debian:12\nRUN echo "$(date)"\n');
});

test('without it nothing is said; one that fails is told of and ours remain', () => {
  const path = file('Dockerfile');
  const broken = join(folder, 'broken');
  writeFileSync(broken, '#!/bin/sh\nexit 3\n');
  chmodSync(broken, 0o755);
  const { stdout, stderr, status } = lint('--shellcheck', broken, path);
  assert.match(stderr, /ShellCheck: .*broken ended with 3/);
  assert.match(stdout, /QuoteVariable/);
  assert.equal(status, 1);
  const missing = lint('--shellcheck', join(folder, 'none'), path);
  assert.deepEqual([missing.status, missing.stdout], [2, '']);
  assert.match(missing.stderr, /none is no program; give auto, off or the path of shellcheck/);
  const nowhere = spawnSync(process.execPath, [MAIN, 'lint', path], {
    encoding: 'utf8',
    env: { PATH: folder },
  });
  assert.equal(nowhere.stderr, '');
  assert.ok(!nowhere.stdout.includes('SC2050'));
});
