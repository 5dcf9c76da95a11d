/** A folder as a build context: what is sent, read at once or between others' work. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { extract } from 'tar-stream';
import { type BuildContext, buildContext, openBuildContext } from './context.ts';

const root = mkdtempSync('/tmp/pinnace-context-');
after(() => rmSync(root, { recursive: true, force: true }));
for (const [path, text] of Object.entries({
  '.dockerignore': 'build\nlogs\n!logs/keep.txt\n*.tmp\n',
  // Buildah's: Docker does not read it.
  '.containerignore': 'src\n',
  'build/Dockerfile': 'FROM a',
  'build/deep/x': '',
  'logs/keep.txt': '',
  'logs/old.txt': '',
  'src/a': '',
  'b.tmp': '',
})) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

async function namesOf({ tar }: BuildContext): Promise<string[]> {
  const names: string[] = [];
  const reader = extract();
  tar.pipe(reader);
  for await (const entry of reader) {
    names.push(entry.header.name.replace(/^\.\/|\/$/g, '').replace(/\/$/, ''));
    entry.resume();
  }
  return names.sort();
}

test('ignored trees are left out, but for the Dockerfile and what comes back', async () => {
  const file = join(root, 'build', 'Dockerfile');
  const wanted = [
    '.containerignore',
    '.dockerignore',
    'build/Dockerfile',
    'logs/keep.txt',
    'src',
    'src/a',
  ];
  const signal = new AbortController().signal;
  assert.deepEqual(await namesOf(buildContext(root, file)), wanted);
  assert.deepEqual(await namesOf(await openBuildContext(root, file, signal)), wanted);
});

test('the reading stops when it is cancelled, and says what is missing', async () => {
  const file = join(root, 'build', 'Dockerfile');
  await assert.rejects(openBuildContext(root, file, AbortSignal.abort()), { name: 'AbortError' });
  const signal = new AbortController().signal;
  await assert.rejects(openBuildContext(join(root, 'none'), file, signal), /not found/);
  await assert.rejects(
    openBuildContext(join(root, 'src'), file, signal),
    /not in the build context/,
  );
});

test('an ignore file that is none is refused by its name, and never read without end', () => {
  const folder = mkdtempSync('/tmp/pinnace-context-');
  after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'Dockerfile'), 'FROM a');
  symlinkSync('/dev/zero', join(folder, '.dockerignore'));
  assert.throws(
    () => buildContext(folder, join(folder, 'Dockerfile')),
    /\.dockerignore is no file/,
  );
});
