// `npm run workbench [FOLDER]`: the extension in a real editor for a person — a desktop VS Code where there is one, else code-server in a private profile.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildBundles } from '../lib/bundles.ts';
import { buildNative } from '../lib/native.ts';
import { endProcesses } from '../lib/processes.ts';
import { has, must, ROOT, run } from '../lib/shell.ts';
import { ensureHost, HOST_NODE, startCodeServer } from '../lib/workbench.ts';

const folder = resolve(process.argv[2] ?? join(ROOT, 'examples', 'todo'));

async function desktopEditor(): Promise<string | undefined> {
  if (process.env['DISPLAY'] === undefined && process.env['WAYLAND_DISPLAY'] === undefined)
    return undefined;
  for (const program of ['code', 'codium']) if (await has(program)) return program;
  return undefined;
}

async function inBrowser(): Promise<void> {
  const { withExtension } = await import('../../test/workbench/package.ts');
  await ensureHost();
  const extension = await withExtension();
  const dir = mkdtempSync('/tmp/pinnace-wb-');
  const roots = {
    PINNACE_DATA_ROOT: join(dir, 'data-root'),
    PINNACE_RUN_ROOT: join(dir, 'run'),
  };
  mkdirSync(join(dir, 'xdg'), { recursive: true });
  const server = await startCodeServer({
    dir,
    extensions: extension.installed,
    settings: {
      'pinnace.engine.dataRoot': roots.PINNACE_DATA_ROOT,
      'pinnace.engine.runRoot': roots.PINNACE_RUN_ROOT,
    },
    trust: 'on',
    env: roots,
  });
  console.log(`\nopen ${server.url}/?folder=${encodeURIComponent(folder)}`);
  console.log('its profile and engine are its own and vanish at the end; Ctrl-C ends it');
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, done);
  });
  console.log('\nending the editor and its engine');
  await server.close();
  const program = join(extension.unpacked, 'out', 'cli.js');
  await must(HOST_NODE, [program, 'engine', 'purge', '--yes'], { env: roots, output: 'collect' });
  await endProcesses(dir);
  await extension.release();
  rmSync(dir, { recursive: true, force: true });
}

const desktop = await desktopEditor();
if (desktop === undefined) {
  await inBrowser();
} else {
  await Promise.all([buildBundles(), buildNative()]);
  console.log(`opening ${folder} in ${desktop} with the extension of this checkout`);
  const { status } = await run(desktop, [`--extensionDevelopmentPath=${ROOT}`, folder]);
  process.exitCode = status;
}
