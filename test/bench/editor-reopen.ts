/** How long it takes to be back in a dev container that exists but is stopped: in a terminal, and in a loaded window. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Workbench } from '../workbench/parts/workbench.ts';
import { type Bench, inWorkbench } from '../workbench/rig.ts';
import type { Row } from './measure.ts';

/** Times that the container is stopped and opened again. */
const TURNS = 15;

/**
 * Terminal: `pinnace up` and a shell's first answer through `pinnace exec`, two commands from their start.
 * Window: from the command in the palette to the other window's explorer with a file of the folder.
 */
export async function reopenRows(): Promise<Row[]> {
  return inWorkbench(
    {
      folder: (folder) => {
        mkdirSync(join(folder, '.devcontainer'));
        writeFileSync(join(folder, 'hello.txt'), 'hello\n');
        const file = join(folder, '.devcontainer', 'devcontainer.json');
        writeFileSync(file, JSON.stringify({ image: 'debian:bookworm-slim' }));
      },
      engine: { images: ['debian:bookworm-slim'] },
    },
    async (bench) => {
      await openWindow(bench);
      const windows: number[] = [];
      const terminals: number[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        await stop(bench);
        terminals.push(await openTerminal(bench));
        await stop(bench);
        windows.push(await openWindow(bench));
      }
      return [
        row('reopen a stopped dev container: terminal', terminals, 1500),
        row('reopen a stopped dev container: window', windows, 5000),
      ];
    },
  );
}

async function stop({ docker }: Bench): Promise<void> {
  await docker('stop', '-t', '0', await docker('ps', '-q'));
}

async function openTerminal({ pinnace, folder }: Bench): Promise<number> {
  const started = performance.now();
  const up = await pinnace('up', folder);
  const shell = await pinnace('exec', '--workspace-folder', folder, 'sh', '-c', 'echo here');
  const taken = performance.now() - started;
  if (up.status !== 0 || shell.stdout.trim() !== 'here')
    throw new Error(`the dev container did not come up: ${up.stderr}${shell.stderr}`);
  return taken;
}

async function openWindow({ workbench }: Bench): Promise<number> {
  const { page } = workbench;
  await page.bringToFront();
  const opened = page.context().waitForEvent('page', { timeout: 120_000 });
  await workbench.command('Pinnace: Reopen in Container');
  const started = performance.now();
  const inner = new Workbench(await opened);
  await inner.page
    .getByRole('treeitem', { name: /hello\.txt/ })
    .first()
    .waitFor();
  const taken = performance.now() - started;
  await inner.page.close();
  return taken;
}

function row(what: string, values: readonly number[], limit: number): Row {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return { what, value, unit: 'ms', limit };
}
