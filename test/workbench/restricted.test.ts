/** A folder that is not trusted: the language features work, and the person can come to trust it. In the light theme, so that both are started once. */
import assert from 'node:assert/strict';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

const { test } = withWorkbench({
  folder: 'examples/todo',
  trust: 'restricted',
  theme: 'light',
});

test('the window is in restricted mode, in the light theme', async ({ workbench }) => {
  await workbench.statusBar.item(/Restricted Mode/).waitFor();
  await workbench.page.locator('.monaco-workbench.vs').first().waitFor();
});

test('the language features work before the folder is trusted', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('Dockerfile');
  await editor.goTo(2, 2);
  assert.match(await editor.hover(), /WORKDIR/);
});

test('once it is trusted, the window says so no more', async ({ workbench }) => {
  await workbench.trust();
  await until(
    'the end of the restricted mode',
    async () => !(await workbench.statusBar.texts()).some((text) => text.includes('Restricted')),
  );
});
