// Packages the extension and tells what is in the package.
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buildBundles } from './bundles.ts';
import { localized, sentences } from './l10n.ts';
import { buildNative, copyShell } from './native.ts';
import { must, ROOT } from './shell.ts';
import { type Manifest, ORDINARY, RESOLVERS, type Variant } from './variants.ts';

const GOLDEN = join(ROOT, 'test', 'package', 'files.golden');

/** Builds and packages; answers the VSIX and its sorted file list (chunk hashes replaced). Throws when the list is not the golden one. */
export async function packageExtension(): Promise<{ file: string; list: string[] }> {
  rmSync(join(ROOT, 'out', 'chunks'), { recursive: true, force: true });
  await Promise.all([buildBundles(), buildNative()]);
  const { file, listed } = await packageStaged();
  const names = listed
    .split('\n')
    .map((name) => name.trim().replace(/-[A-Z0-9]{8}\.js$/, '-HASH.js'));
  const list = [...new Set(names.filter((name) => name !== '' && !name.includes(' ')))].sort();
  compareWithGolden(list);
  return { file, list };
}

/** The package is made of a copy, in which the manifest's texts have keys. */
async function packageStaged(): Promise<{ file: string; listed: string }> {
  const stage = mkdtempSync(join(tmpdir(), 'pinnace-package-'));
  try {
    const made = await packageApart(stage);
    const file = join(ROOT, 'out', basename(made));
    cpSync(made, file);
    const listed = await must('vsce', ['ls', '--no-dependencies'], {
      output: 'collect',
      cwd: stage,
    });
    return { file, listed };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/**
 * The same package, made in a folder apart: out/ of the checkout, which other processes may be using, stays as it is, and
 * the native helper there is taken where it is newer than its sources. The folder is then an unpacked extension too.
 */
export async function packageApart(dir: string, variant: Variant = ORDINARY): Promise<string> {
  for (const part of ['.vscodeignore', 'README.md', 'CHANGELOG.md', 'LICENSE'])
    cpSync(join(ROOT, part), join(dir, part));
  for (const part of ['media', 'bin', 'docs/rules'])
    cpSync(join(ROOT, part), join(dir, part), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
  writeTexts(dir, variant.manifest(manifest));
  const [native] = await Promise.all([freshNative(), buildBundles(join(dir, 'out'))]);
  mkdirSync(join(dir, 'out', 'native'), { recursive: true });
  cpSync(native, join(dir, 'out', 'native', 'pinnace-native'));
  await copyShell(join(dir, 'out', 'native'));
  return pack(dir, dir, variant);
}

/** The manifest, its texts, the extension's sentences, and the translations that there are of both. */
function writeTexts(dir: string, plain: Manifest): void {
  const { manifest, words } = localized(plain);
  const write = (name: string, value: object): void =>
    writeFileSync(join(dir, name), JSON.stringify(value, null, 2));
  for (const file of globSync(['package.nls.*.json', 'l10n/*.json'], { cwd: ROOT }))
    cpSync(join(ROOT, file), join(dir, file));
  mkdirSync(join(dir, 'l10n'), { recursive: true });
  write('package.json', manifest);
  write('package.nls.json', words);
  write('l10n/bundle.l10n.json', sentences());
}

/** Beside the ordinary package: the one for editors that allow the proposed API `resolvers`. Answers the VSIX. */
export async function packageResolvers(): Promise<string> {
  const stage = mkdtempSync(join(tmpdir(), 'pinnace-resolvers-'));
  try {
    const made = await packageApart(stage, RESOLVERS);
    const file = join(ROOT, 'out', basename(made));
    cpSync(made, file);
    return file;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

async function pack(cwd: string, target: string, { name }: Variant = ORDINARY): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as {
    version: string;
  };
  const platform = `linux-${process.arch}`;
  const file = join(target, `pinnace-${platform}-${version}${name}.vsix`);
  mkdirSync(target, { recursive: true });
  const flags = [
    '--no-dependencies',
    '--allow-missing-repository',
    '--no-rewrite-relative-links',
    '--skip-license',
  ];
  await must('vsce', ['package', ...flags, '--target', platform, '--out', file], {
    output: 'collect',
    cwd,
  });
  return file;
}

async function freshNative(): Promise<string> {
  const built = join(ROOT, 'out', 'native', 'pinnace-native');
  const age = (file: string): number => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync(['native/src/**/*.rs', 'native/Cargo.*'], { cwd: ROOT });
  const isFresh = sources.every((source) => age(join(ROOT, source)) < age(built));
  return isFresh ? built : buildNative();
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
