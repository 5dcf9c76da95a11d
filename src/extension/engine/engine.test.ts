/** Tests of running the command, with real processes, and of what the settings make of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { kindOf } from '../../lib/errors.ts';
import { complaintOf, createCli } from './cli.ts';
import { settingsEnvironment, startArguments } from './settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pinnace-extension-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(source: string): ReturnType<typeof createCli> {
  const path = join(folder, 'cli.mjs');
  writeFileSync(path, source);
  const environment = (): Record<string, string> => ({ PINNACE_DATA_ROOT: '/data' });
  return createCli({ program: path, node: process.execPath, environment });
}

test("the command runs as Node with the settings' environment, and its status and output are given", async () => {
  const cli = program(`
    const { ELECTRON_RUN_AS_NODE, PINNACE_DATA_ROOT, NODE_OPTIONS = 'none' } = process.env;
    console.log(ELECTRON_RUN_AS_NODE, PINNACE_DATA_ROOT, NODE_OPTIONS, ...process.argv.slice(2));
    console.error('pinnace: said');
    process.exitCode = 3;`);
  const answer = await cli.run(['a', 'b']);
  assert.deepEqual(answer, { status: 3, stdout: '1 /data none a b\n', stderr: 'pinnace: said\n' });
  assert.equal(complaintOf(answer), 'said');
});

test('a complaint is short: of a stack trace only the error, of a long text the beginning', () => {
  const trace =
    'node:internal:1\n  throw err\n\nError: no module x\n    at load (node:internal/loader:1:2)\n';
  assert.equal(complaintOf({ status: 1, stdout: '', stderr: trace }), 'Error: no module x');
  assert.equal(complaintOf({ status: 1, stdout: '', stderr: 'x'.repeat(999) }).length, 401);
  assert.match(complaintOf({ status: 9, stdout: '', stderr: '' }), /status 9$/);
});

test('an abort ends the command and is a cancellation', async () => {
  const cli = program('setInterval(() => {}, 1000)');
  const abort = new AbortController();
  const running = cli.run([], abort.signal);
  setTimeout(() => abort.abort(), 100);
  await assert.rejects(running, (error) => kindOf(error) === 'cancelled');
});

test('a Node that cannot be run is an error that names the program', async () => {
  const environment = (): Record<string, string> => ({});
  const cli = createCli({ program: '/x/cli.js', node: join(folder, 'none'), environment });
  await assert.rejects(cli.run([]), /\/x\/cli\.js could not be run/);
});

test('settings become variables and flags, and nonsense in them is left out', () => {
  const settings: Record<string, unknown> = {
    'engine.dataRoot': ' /d ',
    'engine.runRoot': '',
    'engine.mode': 'auto',
    'engine.idleExit': 60.5,
  };
  assert.deepEqual(
    settingsEnvironment((key) => settings[key]),
    { PINNACE_DATA_ROOT: '/d' },
  );
  assert.deepEqual(
    startArguments((key) => settings[key]),
    ['--idle-exit', '60'],
  );
  assert.deepEqual(
    startArguments(() => '--evil'),
    [],
  );
});
