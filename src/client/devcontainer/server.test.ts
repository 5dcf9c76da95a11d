/** Tests of what of a VS Code Server is copied into a container that was made without it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNeeded } from './server.ts';

test('what runs on this processor is copied, other systems and leftovers of builds are not', () => {
  for (const path of [
    '.',
    './out/server-main.js',
    './node_modules/@vscode/ripgrep-universal/bin/linux-x64/rg',
    './node_modules/@vscode/sqlite3/build/Release/vscode-sqlite3.node',
    './extensions/node_modules/typescript/lib/lib.dom.d.ts',
    './extensions/cpp/syntaxes/c.tmLanguage.json',
  ])
    assert.equal(isNeeded(path, 'x64'), true, path);
  for (const path of [
    './out/server-main.js.map',
    './node_modules/@vscode/ripgrep-universal/bin/linux-arm64/rg',
    './node_modules/@vscode/ripgrep-universal/bin/win32-x64/rg',
    './node_modules/a/prebuilds/darwin-arm64/a.node',
    './node_modules/@vscode/sqlite3/build/Release/obj/gen/sqlite3.c',
    './node_modules/zod/index.d.cts',
  ])
    assert.equal(isNeeded(path, 'x64'), false, path);
});
