// Builds the native helper and puts it where the bundles look for it. The only place that calls cargo build.
import { copyFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { has, must, ROOT } from './shell.ts';

/** Bytes that the stripped binary may have. */
const LIMIT = 4_000_000;

/** Debian's busybox-static: the shell for containers that have none. */
const SHELL = '/bin/busybox';
const SHELL_LICENCE = '/usr/share/doc/busybox-static/copyright';

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
  copyShell(join(ROOT, 'out', 'native'));
  const placed = join(ROOT, 'out', 'native', 'pinnace-native');
  copyFileSync(built, `${placed}.new`);
  renameSync(`${placed}.new`, placed);
  return placed;
}

/** The static shell and its licence, beside the helper. */
function copyShell(to: string): void {
  if (!existsSync(SHELL_LICENCE))
    throw new Error(`${SHELL_LICENCE} is missing: apt-get install busybox-static`);
  copyFileSync(SHELL, join(to, 'busybox.new'));
  renameSync(join(to, 'busybox.new'), join(to, 'busybox'));
  copyFileSync(SHELL_LICENCE, join(to, 'busybox.copyright'));
}
