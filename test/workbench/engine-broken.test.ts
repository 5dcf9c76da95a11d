/** Where the bundled engine cannot run: the doctor comes by itself, the trees say so, and Dockerfiles still work. */
import assert from 'node:assert/strict';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

const { test } = withWorkbench({
  folder: 'examples/todo',
  env: { PINNACE_NATIVE: '/no/pinnace-native' },
});

test('a failed start shows what is missing, with the way out', async ({ workbench }) => {
  const sideBar = await workbench.activityBar.open('Pinnace');
  const containers = await sideBar.view('Containers');
  await containers.welcome();
  await containers.welcomeAct('Start Engine');
  const page = await workbench.webview.content('li.fail');
  assert.match(await page.locator('.mode').innerText(), /cannot run here yet/);
  assert.match(await page.locator('li').first().innerText(), /native helper/);
  await until('the welcome says so', async () =>
    (await containers.welcome()).includes('cannot run the Pinnace engine yet'),
  );
  await workbench.statusBar.item(/Pinnace/).waitFor();
  if (process.env['LOOK'] !== undefined) await workbench.screenshot(process.env['LOOK']);
});

test('the language server works all the same', async ({ workbench }) => {
  await workbench.editor.open('Dockerfile');
  await workbench.statusBar.item('Dockerfile').waitFor();
  const icon = workbench.page.locator('.codelens-decoration, .monaco-editor .view-line').first();
  await icon.waitFor();
});
