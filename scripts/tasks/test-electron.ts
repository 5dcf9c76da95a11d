// `npm run test:electron`: the mocha suite of test/workbench/host-suite in a desktop VS Code, which @vscode/test-electron downloads. No part of `npm test`. It ends the engine that the suite has started.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { downloadAndUnzipVSCode, runTests, TestRunFailedError } from '@vscode/test-electron';
import { buildHostSuite, HOST_SUITE } from '../lib/host-suite.ts';
import { ROOT, run } from '../lib/shell.ts';
import { packageApart } from '../lib/vsix.ts';

/** The newest; VSCODE_VERSION=1.101.0 is the oldest that the manifest admits. */
const version = process.env['VSCODE_VERSION'] ?? 'stable';

/** For machines that cannot run it at all, told apart from a suite that failed. */
const CANNOT = 3;

/** The program of a desktop VS Code: VSCODE_PROGRAM, or a downloaded one. */
async function program(): Promise<string | undefined> {
  const own = process.env['VSCODE_PROGRAM'];
  if (own !== undefined) {
    if (existsSync(own)) return own;
    console.error(`test:electron: VSCODE_PROGRAM names ${own}, which does not exist`);
    return undefined;
  }
  try {
    return await downloadAndUnzipVSCode({ version, cachePath: join(ROOT, '.cache', 'vscode') });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(
      `test:electron: VS Code ${version} cannot be downloaded on this machine (${reason}); name one in VSCODE_PROGRAM (its program "code", not the script in bin), or run npm run test:workbench: the same suite in code-server`,
    );
    return undefined;
  }
}

function isInPath(name: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** A desktop needs a display: where there is none, the task runs itself in a virtual one. Answers the status of that run. */
async function inVirtualDisplay(): Promise<number | undefined> {
  const hasDisplay = ['DISPLAY', 'WAYLAND_DISPLAY'].some(
    (name) => (process.env[name] ?? '') !== '',
  );
  if (process.platform !== 'linux' || hasDisplay) return undefined;
  if (!isInPath('xvfb-run')) {
    console.error('test:electron: there is no display; install the Debian package xvfb');
    return CANNOT;
  }
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  return (await run('xvfb-run', ['--auto-servernum', ...own])).status;
}

async function suite(vscodeExecutablePath: string): Promise<number> {
  const stage = mkdtempSync(join(tmpdir(), 'pinnace-stage-'));
  const env = {
    PINNACE_DATA_ROOT: join(stage, 'data-root'),
    PINNACE_RUN_ROOT: join(stage, 'run'),
  };
  try {
    await Promise.all([packageApart(stage), buildHostSuite()]);
    return await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: stage,
      extensionTestsPath: HOST_SUITE,
      launchArgs: [
        join(ROOT, 'examples', 'todo'),
        '--disable-extensions',
        `--user-data-dir=${join(stage, 'profile')}`,
        `--extensions-dir=${join(stage, 'extensions')}`,
      ],
      extensionTestsEnv: env,
    });
  } catch (error) {
    if (!(error instanceof TestRunFailedError)) throw error;
    return error.code ?? 1;
  } finally {
    const cli = join(stage, 'out', 'cli.js');
    if (existsSync(env.PINNACE_RUN_ROOT) || existsSync(env.PINNACE_DATA_ROOT))
      await run(process.execPath, [cli, 'engine', 'purge', '--yes'], { env });
    rmSync(stage, { recursive: true, force: true });
  }
}

async function main(): Promise<number> {
  const elsewhere = await inVirtualDisplay();
  if (elsewhere !== undefined) return elsewhere;
  const found = await program();
  return found === undefined ? CANNOT : await suite(found);
}

process.exitCode = await main();
