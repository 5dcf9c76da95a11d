/** Finds a folder's devcontainer.json and its container. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerSummary } from '../../lib/api/containers.ts';
import { requireDevContainer, type DevContainerConfig } from '../../lib/devcontainer/config.ts';
import { LOCAL_FOLDER } from '../../lib/devcontainer/labels.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Client } from '../api/client.ts';

export interface FoundConfig {
  /** Real path of the workspace folder. */
  readonly folder: string;
  readonly file: string;
  readonly config: DevContainerConfig;
  readonly hash: string;
}

/** Real path of a workspace folder; throws not-found. */
export function workspaceOf(folder: string): string {
  if (!existsSync(folder))
    throw new EngineError('not-found', `the folder ${folder} does not exist`, { path: folder });
  return realpathSync(folder);
}

/** Reads the configuration of a folder, or the named file. Throws not-found or invalid with file, line and property. */
export function findConfig(folder: string, named?: string): FoundConfig {
  const real = workspaceOf(folder);
  const file = named ?? configFileOf(real);
  if (file === undefined) {
    throw new EngineError(
      'not-found',
      `${real} has no .devcontainer/devcontainer.json and no .devcontainer.json; add one, or name it with --config`,
      { path: real },
    );
  }
  const text = readFileSync(file, 'utf8');
  return {
    folder: real,
    file,
    config: requireDevContainer(text, file),
    hash: createHash('sha256').update(text).digest('hex'),
  };
}

/** The configuration's file of a folder, sound or not. */
export function configFileOf(folder: string): string | undefined {
  return candidates(folder).find((path) => existsSync(path));
}

function candidates(folder: string): string[] {
  const dir = join(folder, '.devcontainer');
  const nested = existsSync(dir)
    ? readdirSync(dir, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(dir, entry.name, 'devcontainer.json'))
        .sort()
    : [];
  return [join(dir, 'devcontainer.json'), join(folder, '.devcontainer.json'), ...nested];
}

/** The dev container of a folder, running or not; the newest when there are several. */
export async function findContainer(
  client: Client,
  folder: string,
): Promise<ContainerSummary | undefined> {
  const found = await client.containers.list({
    all: true,
    filters: { label: [`${LOCAL_FOLDER}=${folder}`] },
  });
  return found.sort((a, b) => b.Created - a.Created)[0];
}
