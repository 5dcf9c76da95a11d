// Bundles the mocha suite that runs inside the extension host.
import { build } from 'esbuild';
import { join } from 'node:path';
import { ROOT } from './shell.ts';

/** The entry that VS Code loads and whose `run` it calls. */
export const HOST_SUITE = join(ROOT, 'out', 'test', 'host-suite.cjs');

/** Writes HOST_SUITE; mocha itself is found in the checkout's node_modules. */
export async function buildHostSuite(): Promise<void> {
  await build({
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    sourcemap: 'inline',
    logLevel: 'warning',
    external: ['vscode', 'mocha'],
    entryPoints: ['test/workbench/host-suite/index.ts'],
    outfile: HOST_SUITE,
  });
}
