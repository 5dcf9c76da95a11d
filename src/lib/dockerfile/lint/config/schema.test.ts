/** The schema in media/ is the one that the table of rules makes; UPDATE=1 writes it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationSchema } from './schema.ts';

const FILE = new URL('../../../../../media/hadolint.schema.json', import.meta.url);

test('the schema of .hadolint.yaml names every rule', () => {
  const made = `${JSON.stringify(configurationSchema(), undefined, 2)}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(FILE, made);
  assert.deepEqual(JSON.parse(readFileSync(FILE, 'utf8')), JSON.parse(made));
});
