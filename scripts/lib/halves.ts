/**
 * Bundles the extension in two halves, since esbuild splits only ES modules: extension.cjs has what activation needs, areas.cjs what
 * is imported later, by `import()`. Modules of the first half are shared, not copied: an EngineError is the same class in both.
 */
import { build, type BuildOptions, type Metafile, type Plugin } from 'esbuild';
import { dirname, join, relative, resolve } from 'node:path';
import { ROOT } from './shell.ts';

const ENTRY = 'src/extension/extension.ts';
const FIRST = './extension.cjs';
const SECOND = './areas.cjs';

/** Writes extension.cjs and areas.cjs into `outdir`. */
export async function buildHalves(common: BuildOptions, outdir: string): Promise<void> {
  const late = new Set<string>();
  const options: BuildOptions = {
    ...common,
    format: 'cjs',
    external: [...(common.external ?? []), 'vscode', FIRST, SECOND],
  };
  const looked = await build({
    ...options,
    entryPoints: [ENTRY],
    write: false,
    metafile: true,
    plugins: [lateImports(late)],
  });
  const shared = ownModules(looked.metafile);
  await Promise.all([
    build({
      ...options,
      stdin: { contents: firstHalf(shared), resolveDir: ROOT, sourcefile: 'first-half.ts' },
      outfile: join(outdir, 'extension.cjs'),
      plugins: [lateImports(late)],
    }),
    build({
      ...options,
      stdin: { contents: secondHalf(late), resolveDir: ROOT, sourcefile: 'second-half.ts' },
      outfile: join(outdir, 'areas.cjs'),
      plugins: [sharedImports(new Set(shared))],
    }),
  ]);
}

/** Our own modules of a bundle, from the checkout's root; packages belong to the half that uses them. */
function ownModules(metafile: Metafile): string[] {
  return Object.keys(metafile.inputs).filter((path) => path.startsWith('src/'));
}

function firstHalf(shared: readonly string[]): string {
  const imports = shared.map((path, at) => `import * as m${at} from './${path}';`);
  const entries = shared.map((path, at) => `${JSON.stringify(path)}: m${at}`);
  return [
    `export { activate, deactivate } from './${ENTRY}';`,
    ...imports,
    `export const shared = { ${entries.join(', ')} };`,
  ].join('\n');
}

/** Each module is evaluated when it is first asked for. */
function secondHalf(late: ReadonlySet<string>): string {
  const getters = [...late].map(
    (path) => `get ${JSON.stringify(path)}() { return require('./${path}'); }`,
  );
  return `module.exports = { ${getters.join(', ')} };`;
}

/** In the first half `import('./x.ts')` is a look into the second; collects what is looked for. */
function lateImports(late: Set<string>): Plugin {
  return {
    name: 'late imports',
    setup: (bundle) => {
      bundle.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return undefined;
        const target = relative(ROOT, resolve(resolveDir, path));
        late.add(target);
        return { path: target, namespace: 'late' };
      });
      bundle.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(SECOND)})[${JSON.stringify(path)}];`,
        resolveDir: ROOT,
      }));
    },
  };
}

/** In the second half modules that the first one has are taken from there. */
function sharedImports(shared: ReadonlySet<string>): Plugin {
  return {
    name: 'shared imports',
    setup: (bundle) => {
      bundle.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
        const target = relative(ROOT, resolve(resolveDir, path));
        return shared.has(target) ? { path: target, namespace: 'shared' } : undefined;
      });
      bundle.onLoad({ filter: /.*/, namespace: 'shared' }, ({ path }) => ({
        contents: `module.exports = require(${JSON.stringify(FIRST)}).shared[${JSON.stringify(path)}];`,
        resolveDir: dirname(join(ROOT, path)),
      }));
    },
  };
}
