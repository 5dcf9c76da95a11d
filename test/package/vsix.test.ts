/** The package holds what the golden list says, and its command runs from it. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { packageExtension } from '../../scripts/lib/vsix.ts';
import { VERSION } from '../../src/lib/version.ts';

describe('the packaged extension', () => {
  let dir: string;
  before(async () => {
    dir = mkdtempSync('/tmp/pinnace-vsix-');
    const { file } = await packageExtension();
    execFileSync('python3', ['-m', 'zipfile', '-e', file, dir]);
  });
  after(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  test('its command line tells its version from the unpacked package alone', () => {
    const text = execFileSync(
      process.execPath,
      [join(dir, 'extension', 'out', 'cli.js'), '--version'],
      { encoding: 'utf8' },
    );
    assert.equal(text.trim(), VERSION);
  });

  test('doctor answers JSON, with the helper of the package', () => {
    const helper = join(dir, 'extension', 'out', 'native', 'pinnace-native');
    execFileSync('chmod', ['+x', helper]);
    const text = execFileSync(
      process.execPath,
      [join(dir, 'extension', 'out', 'cli.js'), 'doctor', '--json'],
      { encoding: 'utf8' },
    );
    const { mode, findings } = JSON.parse(text) as { mode: string; findings: unknown[] };
    assert.equal(mode, 'system');
    assert.ok(findings.length > 3);
  });
});
