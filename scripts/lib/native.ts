// Builds the native helper and puts it where the bundles look for it. The only place that calls cargo build.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { has, must, ROOT } from './shell.ts';

/** Bytes that the stripped binary may have. */
const LIMIT = 4_000_000;

/** Debian's busybox-static: the shell for containers that have none. */
const SHELL = '/bin/busybox';
const SHELL_LICENCE = '/usr/share/doc/busybox-static/copyright';
/** The licence's whole text, which Debian keeps once for all packages. */
const GPL = '/usr/share/common-licenses/GPL-2';

/** Builds native/ in release form and copies the binary to out/native. Returns its path. */
export async function buildNative(): Promise<string> {
  if (!(await has('cargo'))) {
    throw new Error('cargo is missing: install Rust 1.95 or newer (https://rustup.rs)');
  }
  await must('cargo', ['build', '--release', '--quiet'], { cwd: join(ROOT, 'native') });
  const host =
    (await must('rustc', ['-vV'], { output: 'collect' })).match(/^host: (.+)$/m)?.[1] ?? '';
  const target = process.env['CARGO_TARGET_DIR'] ?? join(ROOT, 'native', 'target');
  const built = join(target, host, 'release', 'pinnace-native');
  const size = statSync(built).size;
  if (size > LIMIT) throw new Error(`pinnace-native has ${size} bytes, more than ${LIMIT}`);
  mkdirSync(join(ROOT, 'out', 'native'), { recursive: true });
  await copyShell(join(ROOT, 'out', 'native'));
  const placed = join(ROOT, 'out', 'native', 'pinnace-native');
  copyFileSync(built, `${placed}.new`);
  renameSync(`${placed}.new`, placed);
  return placed;
}

/** The static shell beside the helper, with its licence and where its source is (docs/decisions/0016). */
export async function copyShell(to: string): Promise<void> {
  if (!existsSync(SHELL_LICENCE))
    throw new Error(`${SHELL_LICENCE} is missing: apt-get install busybox-static`);
  const format = '${source:Package} ${source:Version}';
  const asked = ['-W', '-f', format, 'busybox-static'];
  const [source = '', version = ''] = (
    await must('dpkg-query', asked, { output: 'collect' })
  ).split(' ');
  copyFileSync(SHELL, join(to, 'busybox.new'));
  renameSync(join(to, 'busybox.new'), join(to, 'busybox'));
  const offer = `This program is Debian's, unchanged. Its complete source is Debian's source package ${source} ${version}:
https://snapshot.debian.org/package/${source}/${encodeURIComponent(version)}/
Whoever gives you this program gives you, for three years, a copy of that source on request.
`;
  const texts = [offer, readFileSync(SHELL_LICENCE, 'utf8'), readFileSync(GPL, 'utf8')];
  writeFileSync(join(to, 'busybox.copyright'), texts.join(`\n${'-'.repeat(78)}\n\n`));
}
