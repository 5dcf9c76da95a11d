/** The page docs/api-coverage.md is what the route table says, and every built route has its handler. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { coveragePage } from '../../scripts/lib/api-coverage.ts';
import { createHandlers } from '../../src/engine/api/handlers.ts';
import { ROUTES } from '../../src/lib/api/routes.ts';
import { fakeServices } from '../support/fake-services.ts';

test('the page on the API is generated from the table', () => {
  const page = readFileSync(
    join(import.meta.dirname, '..', '..', 'docs', 'api-coverage.md'),
    'utf8',
  );
  assert.equal(page, coveragePage(), 'run node scripts/api-coverage.mjs');
});

test('the handlers are those of the built routes, no more and no fewer', () => {
  const built = ROUTES.filter(({ state }) => state === 'built').map(({ name }) => name);
  assert.deepEqual(Object.keys(createHandlers(fakeServices().services)).sort(), built.sort());
});
