// Bundles the four processes' TypeScript with esbuild: extension (in two halves) and language server as CommonJS, engine and CLI as ES modules.
import { build, type BuildOptions } from 'esbuild';
import { join } from 'node:path';
import { buildHalves } from './halves.ts';
import { ROOT } from './shell.ts';

const common: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  // jsonc-parser's main is UMD, which cannot be bundled.
  mainFields: ['module', 'main'],
  target: 'node22',
  // Compiled parts of ssh2: it does without them where they are missing, and a package for all machines has none.
  external: ['cpu-features', '*.node'],
  minify: true,
  keepNames: true,
  legalComments: 'none',
  sourcemap: false,
  logLevel: 'warning',
};

/** ES modules still meet CommonJS packages that call require(). */
const banner = {
  js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;",
};

/** Writes *.cjs and *.js into a folder (out/ of the checkout by default); throws with esbuild's messages. */
export async function buildBundles(outdir = join(ROOT, 'out')): Promise<void> {
  const esm: BuildOptions = {
    ...common,
    format: 'esm',
    splitting: true,
    banner,
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
  };
  await Promise.all([
    buildHalves(common, outdir),
    build({
      ...common,
      format: 'cjs',
      entryPoints: ['language-server/server.ts'],
      outfile: join(outdir, 'language-server.cjs'),
    }),
    // Runs inside containers, alone: one file.
    build({
      ...common,
      format: 'esm',
      entryPoints: ['src/client/devcontainer/inside/main.ts'],
      outfile: join(outdir, 'inside.js'),
    }),
    build({
      ...esm,
      entryPoints: [
        { in: join(ROOT, 'src/engine/main.ts'), out: 'engine' },
        { in: join(ROOT, 'src/cli/main.ts'), out: 'cli' },
        { in: join(ROOT, 'src/cli/lint/thread.ts'), out: 'lint-thread' },
      ],
    }),
  ]);
}
