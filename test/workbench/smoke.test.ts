/** The extension is alive in a real workbench: installed from its package, its views and commands are there, its engine starts and is seen. */
import assert from 'node:assert/strict';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

const { test } = withWorkbench({ folder: 'examples/todo' });

test('the palette offers the commands of the extension', async ({ workbench }) => {
  // An enablement is known once the extension is active.
  await until('the command', () => workbench.quickInput.offers('Pinnace: Start Engine'));
  assert.equal(await workbench.quickInput.offers('Pinnace: No Such Command'), false);
});

test('a Dockerfile opens in its language', async ({ workbench }) => {
  await workbench.editor.open('Dockerfile');
  await workbench.statusBar.item('Dockerfile').waitFor();
});

test('the engine starts on command, in its own roots', async ({ workbench, pinnace }) => {
  await workbench.command('Pinnace: Start Engine');
  await workbench.statusBar.item(/Pinnace/).waitFor();
  await until('the engine runs', async () => {
    const { stdout } = await pinnace('engine', 'status', '--json');
    return stdout.includes('"pid"');
  });
});
