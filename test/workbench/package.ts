/** The extension that the workbench tests run: packaged and installed once for all files, or for one file that runs alone. */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installExtension } from '../../scripts/lib/workbench.ts';
import { packageApart } from '../../scripts/lib/vsix.ts';

/** Names a folder of extensions in which the packaged one is installed already. */
export const INSTALLED_VARIABLE = 'PINNACE_WORKBENCH_EXTENSIONS';

export interface Extension {
  /** The folder of extensions, with the packaged one installed by the editor itself. */
  readonly installed: string;
  /** The unpacked extension in it. */
  readonly unpacked: string;
  readonly release: () => Promise<string[]>;
}

/** Packages and installs where that has not been done for the whole run. `release` must be called. */
export async function withExtension(): Promise<Extension> {
  const given = process.env[INSTALLED_VARIABLE];
  if (given !== undefined) return extensionIn(given, () => undefined);
  const stage = mkdtempSync(join(tmpdir(), 'pinnace-stage-'));
  try {
    const installed = await installExtension(await packageApart(stage));
    return extensionIn(installed, () => rmSync(installed, { recursive: true, force: true }));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function extensionIn(installed: string, remove: () => void): Extension {
  const [name] = globSync('pinnace.pinnace-*', { cwd: installed });
  if (name === undefined) throw new Error(`the extension is not installed in ${installed}`);
  return {
    installed,
    unpacked: join(installed, name),
    release: () => {
      remove();
      return Promise.resolve([]);
    },
  };
}
