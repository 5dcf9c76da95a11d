/** What every view and page looks like in the four kinds of themes, what a screen reader hears of it, and what keys reach. With PINNACE_SHOTS a person gets pictures to judge. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator } from 'playwright-core';
import { BuildView } from './parts/build-view.ts';
import { attributes } from './parts/in-page.ts';
import { until } from './parts/patience.ts';
import { type Bench, withWorkbench } from './rig.ts';
import { faintTexts } from './support/contrast.ts';

const DOCKERFILE = `FROM scratch
COPY busybox /bin/sh
RUN echo making
RUN printf '\\033[32mgreen\\033[0m and \\033[1;31mred\\033[0m\\n' && exit 7
`;

const { test } = withWorkbench({
  engine: { images: ['busybox:latest'] },
  folder: (folder) => {
    writeFileSync(join(folder, 'Dockerfile'), DOCKERFILE);
    copyFileSync('/bin/busybox', join(folder, 'busybox'));
  },
});

const SHOTS = process.env['PINNACE_SHOTS'];

/** Name of the theme, and the class that the workbench wears then. */
const THEMES = [
  ['Default Dark Modern', 'vs-dark'],
  ['Default Light Modern', 'vs'],
  ['Default High Contrast', 'hc-black'],
  ['Default High Contrast Light', 'hc-light'],
] as const;

/** The pages by their tabs, with what shows that they are filled, and what of them is coloured by others. */
const PAGES = [
  { tab: /^Logs: web$/, shown: '.row', ignore: '.row' },
  { tab: /^Stats: 2 containers$/, shown: 'td', ignore: '' },
  { tab: /^Build /, shown: 'details.failed', ignore: '.log span' },
  { tab: /^Pinnace Doctor$/, shown: 'li', ignore: '' },
] as const;

async function page(bench: Bench, { tab, shown }: (typeof PAGES)[number]): Promise<FrameLocator> {
  const { workbench } = bench;
  const title = await workbench.editor.tab(tab);
  const frames = workbench.page.locator('iframe.webview.ready');
  return until(`the page ${String(tab)}`, async () => {
    // A page that was asked for before may come to the front only now.
    if ((await title.getAttribute('aria-selected')) !== 'true') await title.click();
    for (const frame of await frames.all()) {
      const content = frame.contentFrame().frameLocator('#active-frame');
      if (!(await frame.isVisible())) continue;
      if ((await content.locator(shown).count()) > 0) return content;
    }
    return undefined;
  });
}

async function dress({ dir, workbench }: Bench, theme: (typeof THEMES)[number]): Promise<void> {
  const [name, kind] = theme;
  for (const place of ['User', 'Machine']) {
    const file = join(dir, 'data', place, 'settings.json');
    const settings = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...settings, 'workbench.colorTheme': name }));
  }
  await workbench.page.locator(`.monaco-workbench.${kind}`).first().waitFor();
}

async function shot({ workbench }: Bench, name: string): Promise<void> {
  if (SHOTS !== undefined) await workbench.screenshot(join(SHOTS, `${name}.png`));
}

test('every row of every view has an accessible name', async (bench) => {
  const { workbench, docker } = bench;
  await docker('network', 'create', 'shop_net');
  const web = ['--network', 'shop_net', '-p', '127.0.0.1::80', '-v', 'shop_data:/data'];
  const shop = ['--label', 'com.docker.compose.project=shop', '--stop-timeout', '0'];
  const script = 'while :; do printf "\\033[33mtick\\033[0m\\n"; echo late >&2; sleep 1; done';
  await docker('run', '-d', '--name', 'web', ...shop, ...web, 'busybox', 'sh', '-c', script);
  await docker('run', '-d', '--name', 'idle', ...shop, 'busybox', 'sleep', '1000');
  await docker('pause', 'idle');
  await docker('run', '--name', 'broken', 'busybox', 'sh', '-c', 'exit 3').catch(() => undefined);
  const sideBar = await workbench.activityBar.open('Pinnace');
  const { tree } = await sideBar.view('Containers');
  await tree.row(/^container web/).waitFor();
  for (const [title, row] of [
    ['Containers', /^container web/],
    ['Images', /^repository busybox/],
    ['Images', /^image busybox:latest/],
    ['Volumes', /^volume shop_data/],
    ['Networks', /^network shop_net/],
    ['Registries', /Docker Hub/],
    ['Engines', /Pinnace/],
  ] as const) {
    const view = await sideBar.view(title);
    await view.tree.row(row).expand();
    const rows = view.element.getByRole('treeitem');
    const nameless = (await attributes(rows, 'aria-label')).filter((name) => name.trim() === '');
    assert.deepEqual(nameless, [], title);
  }
});

test('every control of every page has an accessible name', async (bench) => {
  const { workbench } = bench;
  const { tree } = await (await workbench.activityBar.open('Pinnace')).view('Containers');
  await (await tree.row(/^container web/).contextMenu()).choose('Show Logs');
  await workbench.editor.tab(/^Logs: web$/);
  await tree.select(/^container web/, /^container idle/);
  await (await tree.row(/^container idle/).contextMenu()).choose('Show Stats');
  await workbench.editor.tab(/^Stats: 2 containers$/);
  await workbench.command('Pinnace: Build Image…');
  await until('the question for the tag', async () =>
    (await workbench.quickInput.title()).includes('tag'),
  );
  await workbench.quickInput.enter('shop:1');
  await new BuildView(workbench.webview).ended('Failed');
  await workbench.command('Pinnace: Doctor: Check This Machine');
  await workbench.editor.tab(/^Pinnace Doctor$/);
  for (const each of PAGES) {
    const frame = await page(bench, each);
    const heard = await frame.locator('body').ariaSnapshot();
    const nameless = heard.split('\n').filter((line) => NAMELESS.test(line));
    assert.deepEqual(nameless, [], String(each.tab));
  }
});

/** A line of Playwright's snapshot of what a screen reader is told: role, and the name in quotes. */
const NAMELESS =
  /^\s*- (?:button|textbox|searchbox|checkbox|combobox|link|img|log|toolbar|table|list|region|group)\b(?! ")/;

test('keys reach every control of the pages, and one sees where they are', async (bench) => {
  for (const each of PAGES) {
    const frame = await page(bench, each);
    const all = await frame.locator('body').evaluate<number, unknown>(CONTROLS);
    await frame.locator('body').evaluate('document.body.tabIndex = -1; document.body.focus()');
    const reached: string[] = [];
    for (let turn = 0; turn < all; turn += 1) {
      await bench.workbench.page.keyboard.press('Tab');
      reached.push(await frame.locator('body').evaluate<string, unknown>(FOCUSED));
    }
    assert.deepEqual(
      reached.filter((one) => !one.endsWith('seen')),
      [],
      String(each.tab),
    );
    assert.equal(new Set(reached).size, all, `${String(each.tab)}: ${reached.join(' · ')}`);
  }
});

/** For the page: how many things take the focus. */
const CONTROLS = `[...document.querySelectorAll('button:enabled, input:enabled, summary, [tabindex="0"]')]
  .filter((one) => one.checkVisibility()).length`;

/** For the page: what has the focus, and whether it shows it. */
const FOCUSED = `(() => {
  const at = document.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  const all = [...document.querySelectorAll('*')].indexOf(at);
  const name = at.getAttribute('aria-label') ?? at.textContent.slice(0, 30);
  return at.tagName + ' ' + name + ' ' + all + (outlineStyle !== 'none' && outlineWidth !== '0px' ? ' seen' : ' not');
})()`;

test('texts stand out from their ground in dark, light and high contrast themes', async (bench) => {
  const faint: string[] = [];
  for (const theme of THEMES) {
    await dress(bench, theme);
    for (const [at, each] of PAGES.entries()) {
      const frame = await page(bench, each);
      await frame.locator(`body.${BODIES[theme[1]]}`).waitFor();
      for (const text of await faintTexts(frame, each.ignore))
        faint.push(`${theme[0]}, ${String(each.tab)}: ${text}`);
      await shot(bench, `${theme[1]}-${at}`);
    }
  }
  assert.deepEqual(faint, []);
});

/** The class of a page's body by that of the workbench. */
const BODIES = {
  'vs-dark': 'vscode-dark',
  vs: 'vscode-light',
  'hc-black': 'vscode-high-contrast',
  'hc-light': 'vscode-high-contrast-light',
} as const;
