// `npm run test:electron`: the mocha suite of test/workbench/host-suite in a desktop VS Code, which @vscode/test-electron downloads. No part of `npm test`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { downloadAndUnzipVSCode, runTests } from '@vscode/test-electron';
import { ROOT } from '../lib/shell.ts';
import { packageApart } from '../lib/vsix.ts';
import { buildHostSuite, HOST_SUITE } from '../lib/host-suite.ts';

/** The oldest VS Code that the manifest admits, or the newest with VSCODE_VERSION=stable. */
const version = process.env['VSCODE_VERSION'] ?? 'stable';

async function download(): Promise<string | undefined> {
  try {
    return await downloadAndUnzipVSCode({ version, cachePath: join(ROOT, '.cache', 'vscode') });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    console.error(
      `test:electron: VS Code ${version} cannot be downloaded on this machine (${reason}); npm run test:workbench runs the same suite in code-server`,
    );
    return undefined;
  }
}

const vscodeExecutablePath = await download();
if (vscodeExecutablePath === undefined) {
  process.exitCode = 3;
} else {
  const stage = mkdtempSync(join(tmpdir(), 'pinnace-stage-'));
  try {
    await Promise.all([packageApart(stage), buildHostSuite()]);
    const root = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    process.exitCode = await runTests({
      vscodeExecutablePath,
      extensionDevelopmentPath: stage,
      extensionTestsPath: HOST_SUITE,
      launchArgs: [
        join(ROOT, 'examples', 'todo'),
        ...root,
        '--disable-extensions',
        `--user-data-dir=${join(stage, 'profile')}`,
      ],
      extensionTestsEnv: {
        PINNACE_DATA_ROOT: join(stage, 'data-root'),
        PINNACE_RUN_ROOT: join(stage, 'run'),
      },
    });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}
