/** `pinnace.devcontainer.addConfiguration`: writes a first devcontainer.json for a folder; never over a file that is there. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EngineError } from '../../../lib/errors.ts';
import { templatesFor } from '../../devcontainer/template.ts';
import type { Command } from '../desk.ts';
import { folderOf } from './folders.ts';

const REOPEN = 'Reopen in Container';

export const devcontainerAddConfiguration: Command = {
  id: 'pinnace.devcontainer.addConfiguration',
  title: 'Add Dev Container Configuration Files…',
  icon: '$(new-file)',
  run: async (desk, targets, argument) => {
    const folder = await folderOf(desk, targets, argument, 'Add Files to Which Folder?');
    if (folder === undefined) return;
    const there = ['.devcontainer/devcontainer.json', '.devcontainer.json'].find((file) =>
      existsSync(join(folder, file)),
    );
    if (there !== undefined)
      throw new EngineError(
        'conflict',
        `${folder} has ${there} already; edit it, or remove it first`,
      );
    const template = await desk.pick(
      'Choose What the Container Is Made From',
      templatesFor(basename(folder), findIn(folder)).map((value) => ({ ...value, value })),
    );
    if (template === undefined) return;
    for (const [file, text] of Object.entries(template.files)) {
      const path = join(folder, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: 'wx' });
    }
    const files = Object.keys(template.files).join(', ');
    const chosen = await desk.inform(`Wrote ${files}.`, REOPEN);
    if (chosen === REOPEN) await desk.execute('pinnace.devcontainer.reopen', folder);
  },
};

const COMPOSE = /^(?:docker-)?compose(?:\.[\w-]+)?\.ya?ml$/;

/** Dockerfiles of the folder itself, and the images that its compose files name in plain words. */
function findIn(folder: string): { dockerfiles: string[]; composeImages: string[] } {
  const names = readdirSync(folder);
  const dockerfiles = names
    .filter((name) => /^(?:Dockerfile|Containerfile)(?:\..+)?$/.test(name))
    .sort();
  const composeImages = names
    .filter((name) => COMPOSE.test(name))
    .flatMap((name) =>
      [
        ...readFileSync(join(folder, name), 'utf8').matchAll(
          /^\s+image:\s*["']?([\w./:@-]+)["']?\s*$/gm,
        ),
      ].map((match) => match[1] ?? ''),
    );
  return { dockerfiles, composeImages };
}
