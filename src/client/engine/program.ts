/** Finds the files that make an engine run: the native helper, the engine's program and a Node. It starts nothing. */

import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../../lib/errors.ts';

const HELPER = 'pinnace-native';

/** The native helper: PINNACE_NATIVE, beside the bundle, or in a checkout's build. Throws EngineError (unavailable). */
export function nativePath(env: NodeJS.ProcessEnv = process.env): string {
  const chosen = env['PINNACE_NATIVE'];
  if (chosen !== undefined && chosen !== '') {
    if (isExecutable(chosen)) return chosen;
    throw new EngineError(
      'unavailable',
      `PINNACE_NATIVE=${chosen} is not a program that can be run`,
      { path: chosen },
    );
  }
  const root = packageRoot();
  const candidates = [
    join(root, 'out', 'native', HELPER),
    ...builds(join(root, 'native', 'target')),
  ];
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new EngineError(
    'unavailable',
    `${HELPER} is missing (looked in ${candidates.join(', ')}): run 'npm run build', or set PINNACE_NATIVE`,
  );
}

/** The engine's program: the bundle, or its source in a checkout that was never built. */
export function engineProgram(): string {
  return programOf('engine', { bundle: 'engine.js', source: join('src', 'engine', 'main.ts') });
}

/** The language server's program, found as the engine's. */
export function languageServerProgram(): string {
  const source = join('language-server', 'server.ts');
  return programOf('language server', { bundle: 'language-server.cjs', source });
}

/** The program of the linter's threads, found as the engine's. */
export function lintThreadProgram(): string {
  const source = join('src', 'cli', 'lint', 'thread.ts');
  return programOf('linter', { bundle: 'lint-thread.js', source });
}

/** Our program for the inside of containers: one file, made by the build. Throws EngineError (unavailable). */
export function insideProgram(): string {
  const path = join(packageRoot(), 'out', 'inside.js');
  if (existsSync(path)) return path;
  throw new EngineError('unavailable', `${path} is missing: run 'npm run build'`, { path });
}

/** A static busybox for containers without a shell: PINNACE_BUSYBOX, or the one beside the helper; undefined: none. */
export function shellPath(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const chosen = env['PINNACE_BUSYBOX'] ?? '';
  const candidates = [chosen, join(packageRoot(), 'out', 'native', 'busybox'), '/bin/busybox'];
  return candidates.find((path) => path !== '' && isExecutable(path));
}

function programOf(what: string, file: { bundle: string; source: string }): string {
  const root = packageRoot();
  const bundle = join(root, 'out', file.bundle);
  const source = join(root, file.source);
  // Run from source, the other process comes from source too: else a stale bundle would answer.
  const candidates = runsFromSource() ? [source, bundle] : [bundle, source];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined)
    throw new EngineError(
      'unavailable',
      `the ${what}'s program ${bundle} is missing: run 'npm run build'`,
    );
  return found;
}

/**
 * The command line that runs the engine's program on this very Node (in VS Code: Electron as Node).
 * The flags keep an idle engine small: a semi-space of 1 MiB, garbage collected when it is quiet, and one malloc
 * arena for all threads (together 93 → 82 MB resident after a load and a build).
 */
export function nodeCommand(): {
  readonly command: string[];
  readonly env: Record<string, string>;
} {
  const flags = ['--max-semi-space-size=1', '--expose-gc', '--disable-warning=ExperimentalWarning'];
  const electron = process.versions['electron'] !== undefined;
  return {
    command: [process.execPath, ...flags],
    env: { MALLOC_ARENA_MAX: '1', ...(electron ? { ELECTRON_RUN_AS_NODE: '1' } : {}) },
  };
}

/** The folder that holds `out` and `src`, seen from the bundle (out/, out/chunks/) or from this file. */
function packageRoot(): string {
  let dir = dirname(fileURLToPath(import.meta.url));
  while (dir !== dirname(dir)) {
    if (basename(dir) === 'out' || basename(dir) === 'src') return dirname(dir);
    dir = dirname(dir);
  }
  return dirname(dirname(fileURLToPath(import.meta.url)));
}

function runsFromSource(): boolean {
  return import.meta.url.endsWith('.ts');
}

function builds(target: string): string[] {
  const direct = join(target, 'release', HELPER);
  if (!existsSync(target)) return [direct];
  return [direct, ...readdirSync(target).map((name) => join(target, name, 'release', HELPER))];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
