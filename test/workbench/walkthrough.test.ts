/** First steps: the walkthrough knows what is done already, its buttons do what they say, empty views say what to do; and all of it in another language. */
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildView } from './parts/build-view.ts';
import { until } from './parts/patience.ts';
import { Walkthrough } from './parts/walkthrough.ts';
import { withWorkbench } from './rig.ts';
import { speakPseudo } from './support/pseudo.ts';

const { test } = withWorkbench({
  engine: {},
  folder: (folder) => {
    writeFileSync(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY busybox /bin/sh\n');
    copyFileSync('/bin/busybox', join(folder, 'busybox'));
  },
});

const SHOTS = process.env['PINNACE_SHOTS'];

test('empty views say what to do', async ({ workbench }) => {
  const sideBar = await workbench.activityBar.open('Pinnace');
  for (const [title, text, button] of [
    ['Containers', /No containers yet/, 'Run Image…'],
    ['Images', /No images yet/, 'Pull Image…'],
    ['Dev Containers', /No dev containers yet/, 'Reopen in Container'],
    ['Builds', /No image was built yet/, 'Build Image…'],
    ['Volumes', /No volumes yet/, 'Create Volume…'],
  ] as const) {
    const view = await sideBar.view(title);
    await until(`the welcome of ${title}`, async () => text.test(await view.welcome()));
    const content = view.element.locator('.welcome-view-content');
    await content.getByRole('button', { name: button }).waitFor();
  }
});

test('the steps that are done are ticked by themselves', async ({ workbench }) => {
  const walkthrough = new Walkthrough(workbench.page);
  await walkthrough.open(workbench, 'Get Started with Pinnace');
  assert.deepEqual(await walkthrough.steps(), [
    'Start the engine',
    'Build an image',
    'See containers and images',
    'Work inside a container',
    'Bring your own tools',
  ]);
  // The engine runs, and the views were looked at.
  await walkthrough.ticked('Start the engine');
  await walkthrough.ticked('See containers and images');
  assert.equal(await walkthrough.isTicked('Build an image'), false);
  if (SHOTS !== undefined) await workbench.screenshot(join(SHOTS, 'walkthrough.png'));
});

test('a step shows its picture, its button works, and what it leads to ticks it', async ({
  workbench,
}) => {
  const walkthrough = new Walkthrough(workbench.page);
  for (const step of await walkthrough.steps()) {
    await walkthrough.select(step);
    await walkthrough.picture();
    if (SHOTS !== undefined) await workbench.screenshot(join(SHOTS, `walkthrough-${step}.png`));
  }
  await walkthrough.select('Build an image');
  await walkthrough.press('Build Image…');
  await until('the question for the tag', async () =>
    (await workbench.quickInput.title()).includes('tag'),
  );
  await workbench.quickInput.enter('first:1');
  await new BuildView(workbench.webview).ended('Succeeded');
  await (await workbench.editor.tab(/Welcome|Walkthrough|Get Started/)).click();
  await walkthrough.ticked('Build an image');
});

test('titles, empty views, rows and questions are said in the language of the window', async (bench) => {
  const { workbench, dir } = bench;
  await speakPseudo(join(dir, 'ext'), workbench.page);
  await workbench.reload();
  const { sideBar, quickInput } = workbench;
  await workbench.activityBar.open('[Pínnácé]');
  const containers = await sideBar.view('[Cóntáínérs]');
  await until('the welcome', async () =>
    (await containers.welcome()).includes('Nó cóntáínérs yét'),
  );
  const images = await sideBar.view('[Imágés]');
  await images.tree.row(/^\[répósítóry first/).waitFor();
  await workbench.command('[Pínnácé Imágés]: [Púll…]');
  await until('the question for the image', async () => (await quickInput.title()).startsWith('['));
  await workbench.command('[Pínnácé]: [Dóctór: Chéck Thís Máchíné]');
  const doctor = await workbench.webview.content('li.ok');
  assert.equal(await doctor.locator('h1').innerText(), '[Pínnácé Dóctór]');
  assert.match(await doctor.locator('.mode').innerText(), /^\[/);
  if (SHOTS !== undefined) await workbench.screenshot(join(SHOTS, 'pseudo.png'));
});
