/** Paths and files of a build context: links stay inside, odd files are refused. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readInside, resolveInside } from './context.ts';

describe('a build context', () => {
  let root: string;

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'pinnace-context-'));
    mkdirSync(join(root, 'sub/deep'), { recursive: true });
    writeFileSync(join(root, 'file'), 'file');
    writeFileSync(join(root, 'sub/inner'), 'inner');
    symlinkSync('/etc/passwd', join(root, 'absolute'));
    symlinkSync('../../../../../../etc/passwd', join(root, 'sub/upwards'));
    symlinkSync('/sub/inner', join(root, 'within'));
    symlinkSync('loop', join(root, 'loop'));
  });
  after(() => {
    rmSync(root, { recursive: true });
  });

  it('finds files, also through links, and nothing outside', async () => {
    assert.equal(await readInside(root, 'file', 100), 'file');
    assert.equal(await readInside(root, '/within', 100), 'inner');
    assert.equal(await readInside(root, 'sub/deep/../../file', 100), 'file');
    assert.equal(await readInside(root, '../../../file', 100), 'file');
    assert.equal(await readInside(root, 'absolute', 100), undefined);
    assert.equal(await readInside(root, 'sub/upwards', 100), undefined);
    assert.equal(await resolveInside(root, 'file/below'), undefined);
  });

  it('refuses loops, folders and files that are too large', async () => {
    await assert.rejects(readInside(root, 'loop', 100), /too many symbolic links in loop/);
    await assert.rejects(readInside(root, 'sub', 100), /sub in the build context is not a file/);
    await assert.rejects(readInside(root, 'file', 3), /file in the build context is larger than/);
  });
});
