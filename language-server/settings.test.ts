/** Tests of the settings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULTS, readSettings, sectionOf } from './settings.ts';

test('what is missing or of a wrong type is the default', () => {
  for (const value of [undefined, null, 7, [], 'x', {}]) {
    const { section, ...rest } = readSettings(value);
    assert.deepEqual({ ...rest, section: {} }, DEFAULTS);
    assert.deepEqual(section, {});
  }
  assert.equal(readSettings({ registryLookups: 'no' }).registryLookups, true);
});

test('the section is kept whole for the parts that read their own', () => {
  const section = { registryLookups: false, format: { indent: 2 } };
  assert.equal(readSettings(section).registryLookups, false);
  assert.equal(readSettings(section).section, section);
  assert.equal(sectionOf({ pinnace: { languageServer: section } }), section);
  assert.equal(sectionOf({ other: 1 }), undefined);
});
