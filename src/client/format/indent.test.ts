/** Indents of `.editorconfig` files. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { matchesEditorConfig } from '../../lib/text/editorconfig.ts';
import { editorConfigIndent } from './indent.ts';

const root = mkdtempSync('/tmp/pinnace-editorconfig-');
after(() => rmSync(root, { recursive: true, force: true }));

test('globs match as the specification says', () => {
  const cases: [string, string, boolean][] = [
    ['*', 'a/b', true],
    ['*.Dockerfile', 'a/x.Dockerfile', true],
    ['Dockerfile', 'Dockerfile.dev', false],
    ['{Dockerfile,*.Dockerfile}', 'x/Dockerfile', true],
    ['/Dockerfile', 'x/Dockerfile', false],
    ['a/*', 'a/b', true],
    ['a/*', 'a/b/c', false],
    ['a/**', 'a/b/c', true],
    ['f{1..3}', 'f2', true],
    ['f{1..3}', 'f4', false],
    ['[!a]x', 'bx', true],
    ['[!a]x', 'ax', false],
    ['{single}', '{single}', true],
    ['a.b', 'axb', false],
    ['{unclosed', '{unclosed', true],
    ['[z-a]', 'z', false],
    ['*a'.repeat(30), 'a'.repeat(5000), false],
  ];
  for (const [glob, path, expected] of cases)
    assert.equal(matchesEditorConfig(glob, path), expected, `${glob} ${path}`);
});

test('the nearest file and its last section win, and a root ends the search', () => {
  mkdirSync(join(root, 'a', 'b'), { recursive: true });
  writeFileSync(join(root, '.editorconfig'), 'root = true\n[*]\nindent_style = tab\n');
  writeFileSync(
    join(root, 'a', '.editorconfig'),
    '\ufeff; comment\r\n[*]\r\nindent_style = space\r\nindent_size = 8\r\n[Dockerfile]\r\nindent_size = 2\r\n',
  );
  assert.equal(editorConfigIndent(join(root, 'Dockerfile')), 'tab');
  assert.equal(editorConfigIndent(join(root, 'a', 'b', 'Dockerfile')), 2);
  assert.equal(editorConfigIndent(join(root, 'a', 'other')), 8);
  writeFileSync(join(root, 'a', 'b', '.editorconfig'), 'root=true\n[*]\nindent_size=9999\n');
  assert.equal(editorConfigIndent(join(root, 'a', 'b', 'Dockerfile')), undefined);
});
