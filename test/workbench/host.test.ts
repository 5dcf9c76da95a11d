/** The mocha suite inside the real extension host passes. */
import assert from 'node:assert/strict';
import { withExtensionHostMocha } from './host-mocha.ts';
import { withWorkbench } from './rig.ts';

const { test } = withWorkbench({ folder: 'examples/todo' });

test('the suite inside the extension host passes', async (bench) => {
  const { code, log } = await withExtensionHostMocha(bench);
  assert.equal(code, 0, log);
});
