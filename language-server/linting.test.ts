/** Tests of the options that hold for an open document: its configuration, the client's settings, its build context. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { Linter, severitiesIn } from './linting.ts';
import { readSettings } from './settings.ts';

const ROOT = mkdtempSync(join(tmpdir(), 'pinnace-lsp-'));
after(() => rmSync(ROOT, { recursive: true, force: true }));

function codes(linter: Linter, uri: string, text: string, section: unknown = {}): string[] {
  const document = TextDocument.create(uri, 'dockerfile', 1, text);
  return linter.problemsOf(document, readSettings(section)).map(({ code }) => code);
}

test('a document is judged by the configuration beside it, read again after a change', () => {
  const uri = pathToFileURL(join(ROOT, 'Dockerfile')).href;
  const linter = new Linter();
  assert.deepEqual(codes(linter, uri, 'FROM a\n'), ['PinImageTag']);
  writeFileSync(join(ROOT, '.hadolint.yaml'), 'ignored: [DL3006]\n');
  linter.forget();
  assert.deepEqual(codes(linter, uri, 'FROM a\n'), []);
});

test('the build context on the disk is looked at', () => {
  writeFileSync(join(ROOT, 'here'), '');
  writeFileSync(join(ROOT, 'out.log'), '');
  writeFileSync(join(ROOT, '.dockerignore'), '*.log\n');
  const uri = pathToFileURL(join(ROOT, 'Dockerfile')).href;
  const text = 'FROM a:1\nCOPY here gone out.log /x/\n';
  assert.deepEqual(codes(new Linter(), uri, text), ['CopySourceMissing', 'CopyIgnoredFile']);
});

test("the client's settings come before the configuration, under any name of a rule", () => {
  const uri = pathToFileURL(join(ROOT, 'Dockerfile')).href;
  const section = { rules: { DL3006: 'error', LastUserRoot: 'off', nonsense: 'error', DL3007: 5 } };
  assert.deepEqual(codes(new Linter(), uri, 'FROM a\nUSER root\n', section), ['PinImageTag']);
  assert.deepEqual(
    [...severitiesIn(section.rules)],
    [
      ['PinImageTag', 'error'],
      ['LastUserRoot', 'off'],
    ],
  );
});

test('documents that are in no file are judged without a disk', () => {
  assert.deepEqual(codes(new Linter(), 'untitled:Dockerfile', 'FROM a:1\nCOPY gone /x\n'), []);
  assert.deepEqual(codes(new Linter(), 'file://elsewhere/share/Dockerfile', 'FROM a\n'), [
    'PinImageTag',
  ]);
});
