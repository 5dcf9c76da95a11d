// Packages the extension and tells what is in the package.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundles } from './bundles.ts';
import { buildNative } from './native.ts';
import { must, ROOT } from './shell.ts';

export const GOLDEN = join(ROOT, 'test', 'package', 'files.golden');

/** Builds and packages; answers the VSIX and its sorted file list (chunk hashes replaced). Throws when the list is not the golden one. */
export async function packageExtension(): Promise<{ file: string; list: string[] }> {
  rmSync(join(ROOT, 'out', 'chunks'), { recursive: true, force: true });
  await Promise.all([buildBundles(), buildNative()]);
  const version = (
    JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  ).version;
  const platform = `linux-${process.arch}`;
  const file = join(ROOT, 'out', `pinnace-${platform}-${version}.vsix`);
  mkdirSync(join(ROOT, 'out'), { recursive: true });
  await must(
    'vsce',
    [
      'package',
      '--no-dependencies',
      '--allow-missing-repository',
      '--no-rewrite-relative-links',
      '--skip-license',
      '--target',
      platform,
      '--out',
      file,
    ],
    { output: 'collect' },
  );
  const listed = await must('vsce', ['ls', '--no-dependencies'], { output: 'collect' });
  const names = listed
    .split('\n')
    .map((name) => name.trim().replace(/-[A-Z0-9]{8}\.js$/, '-HASH.js'));
  const list = [...new Set(names.filter((name) => name !== '' && !name.includes(' ')))].sort();
  compareWithGolden(list);
  return { file, list };
}

function compareWithGolden(list: readonly string[]): void {
  const text = `${list.join('\n')}\n`;
  if (process.env['UPDATE'] === '1') {
    mkdirSync(join(GOLDEN, '..'), { recursive: true });
    writeFileSync(GOLDEN, text);
    return;
  }
  const golden = existsSync(GOLDEN) ? readFileSync(GOLDEN, 'utf8').split('\n') : [];
  const added = list.filter((name) => !golden.includes(name));
  const gone = golden.filter((name) => name !== '' && !list.includes(name));
  if (added.length + gone.length > 0) {
    throw new Error(
      `the package's files differ from test/package/files.golden (added: ${added.join(', ') || 'none'}; gone: ${gone.join(', ') || 'none'}); UPDATE=1 npm run package accepts them`,
    );
  }
}
