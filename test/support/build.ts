/** Build contexts for tests of `docker build`: folders made from a table of files, and what the answer's text says. It never starts an engine. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandOptions, Result, TestEngine } from './engine.ts';

/** Path → content; `-> target` makes a symbolic link, a trailing slash an empty folder. */
export type Files = Readonly<Record<string, string>>;

export interface Context {
  readonly dir: string;
  write(files: Files): void;
  /** `docker build` of this folder with DOCKER_BUILDKIT=0. */
  build(args?: readonly string[], options?: CommandOptions): Promise<Result>;
  /** As build; throws with the whole output when it fails. */
  built(...args: string[]): Promise<string>;
  remove(): void;
}

export function makeContext(engine: TestEngine, files: Files): Context {
  const dir = mkdtempSync('/tmp/pinnace-context-');
  const write = (table: Files): void => {
    for (const [path, content] of Object.entries(table)) writeEntry(join(dir, path), content);
  };
  write(files);
  const build = (args: readonly string[] = [], options: CommandOptions = {}): Promise<Result> =>
    engine.tryDocker(['build', ...args, dir], options);
  return {
    dir,
    write,
    build,
    built: async (...args) => {
      const { status, stdout, stderr } = await build(args);
      if (status !== 0) throw new Error(`docker build: status ${status}\n${stdout}${stderr}`);
      return stdout;
    },
    remove: () => {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function writeEntry(path: string, content: string): void {
  mkdirSync(path.endsWith('/') ? path : dirname(path), { recursive: true });
  if (path.endsWith('/')) return;
  const link = /^-> (.*)$/.exec(content)?.[1];
  if (link === undefined) {
    writeFileSync(path, content);
    chmodSync(path, content.startsWith('#!') ? 0o755 : 0o644);
  } else symlinkSync(link, path);
}

/** How many steps came from the cache. */
export function cachedSteps(output: string): number {
  return output.split('\n').filter((line) => line === ' ---> Using cache').length;
}

/** The id that the output ends with. */
export function builtId(output: string): string {
  const id = /^Successfully built ([0-9a-f]{12})$/m.exec(output)?.[1];
  if (id === undefined) throw new Error(`no image id in:\n${output}`);
  return id;
}
