/** The editor's figures, taken in a real workbench with the packaged extension: size, activation, first tree, reopening a dev container. */

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageApart } from '../../scripts/lib/vsix.ts';
import { ensureHost, installExtension } from '../../scripts/lib/workbench.ts';
import { INSTALLED_VARIABLE } from '../workbench/package.ts';
import { until } from '../workbench/parts/patience.ts';
import { type Bench, inWorkbench } from '../workbench/rig.ts';
import type { Row } from './measure.ts';
import { reopenRows } from './editor-reopen.ts';

/** Windows that are opened anew for a median. */
const TURNS = 15;

/** `activation`: what the extension host itself says; `tree`: from the press on the activity bar to the first row, seen in the page. */
export async function bench(): Promise<Row[]> {
  await ensureHost();
  const stage = mkdtempSync(join(tmpdir(), 'pinnace-stage-'));
  try {
    const vsix = await packageApart(stage);
    const installed = await installExtension(vsix);
    process.env[INSTALLED_VARIABLE] = installed;
    try {
      const value = statSync(vsix).size / 1e6;
      return [{ what: 'VSIX', value, unit: 'MB', limit: 8 }, ...(await windowRows())];
    } finally {
      rmSync(installed, { recursive: true, force: true });
    }
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

async function windowRows(): Promise<Row[]> {
  const times = await inWorkbench(
    {
      folder: 'examples/todo',
      engine: { images: ['busybox:latest'] },
      settings: { 'workbench.editor.useModal': 'off' },
    },
    measure,
  );
  return [
    {
      what: 'activation (code loaded and activate called)',
      ...median(times.activation),
      limit: 60,
    },
    { what: 'first tree with data, warm engine', ...median(times.tree), limit: 300 },
    ...(await reopenRows()),
  ];
}

async function measure(
  bench: Bench,
): Promise<{ readonly activation: number[]; readonly tree: number[] }> {
  for (const name of ['one', 'two', 'three'])
    await bench.docker('run', '-d', '--name', name, 'busybox:latest', 'sleep', '3600');
  const activation: number[] = [];
  const tree: number[] = [];
  for (let turn = 0; turn <= TURNS; turn++) {
    const { folder } = bench;
    const window = await bench.newWindow(folder);
    const started = await activationOf(window.page);
    await window.page.keyboard.press('Control+Shift+e');
    const seen = await firstRow(window.page);
    await window.page.close();
    // The first turn fills caches that a person's editor has filled long ago.
    if (turn === 0) continue;
    activation.push(started);
    tree.push(seen);
  }
  return { activation, tree };
}

type Page = Bench['workbench']['page'];

/** Milliseconds of "Developer: Show Running Extensions": loading the code and the call of activate(), as the extension host has measured them. */
async function activationOf(page: Page): Promise<number> {
  const { Workbench } = await import('../workbench/parts/workbench.ts');
  const workbench = new Workbench(page);
  await workbench.statusBar.item(/Pinnace|engine/i).waitFor();
  await workbench.command('Developer: Show Running Extensions');
  const row = page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'pinnace' });
  return until('the activation time', async () => {
    const text = await row.first().innerText();
    const found = /(\d+)\s*ms/.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  });
}

/** From the press on the activity bar to a row of the containers. Both moments are taken inside the page. */
async function firstRow(page: Page): Promise<number> {
  const seen = page.evaluate(`new Promise((resolve) => {
    let pressed;
    addEventListener('mousedown', () => { pressed = performance.now(); }, { capture: true, once: true });
    const look = () => {
      const rows = [...document.querySelectorAll('.part.sidebar .monaco-list-row .label-name')];
      if (pressed !== undefined && rows.some((row) => ['one', 'two', 'three'].includes(row.textContent.trim()))) {
        watcher.disconnect();
        resolve(performance.now() - pressed);
      }
    };
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, { childList: true, subtree: true, characterData: true });
  })`);
  const tab = page.locator('.activitybar').getByRole('tab', { name: 'Pinnace' }).first();
  const [taken] = await Promise.all([seen, tab.click()]);
  return Number(taken);
}

function median(values: readonly number[]): { readonly value: number; readonly unit: 'ms' } {
  const sorted = [...values].sort((a, b) => a - b);
  return { value: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, unit: 'ms' };
}
