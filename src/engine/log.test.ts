/** The log has one line an entry and never grows beyond its bound. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLog } from './log.ts';

test('entries have time and level, and a full log keeps its last whole lines', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pinnace-log-'));
  const path = join(dir, 'engine.log');
  const log = openLog(path, { echo: 'none', clock: () => new Date(0), maxBytes: 4096 });
  log.info('first');
  log.error('two\nlines');
  assert.equal(
    readFileSync(path, 'utf8'),
    '1970-01-01T00:00:00.000Z info first\n1970-01-01T00:00:00.000Z error two\n    lines\n',
  );
  for (let at = 0; at < 500; at += 1) log.warn(`line ${at}`);
  const text = readFileSync(path, 'utf8');
  assert.ok(text.length <= 2 * 4096, String(text.length));
  assert.ok(text.endsWith('warn line 499\n'));
  assert.match(text, /^1970/);
  log.close();
  rmSync(dir, { recursive: true });
});
