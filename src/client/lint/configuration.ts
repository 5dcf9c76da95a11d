/** Finds the `.hadolint.yaml` that counts for a Dockerfile: the nearest above it, else the user's own. Reads only. */

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import {
  type Configuration,
  readConfiguration,
} from '../../lib/dockerfile/lint/config/hadolint.ts';
import { EngineError } from '../../lib/errors.ts';

export interface FoundConfiguration {
  /** Undefined: there is none, and the defaults hold. */
  readonly path: string | undefined;
  readonly configuration: Configuration;
}

const NAMES = ['.hadolint.yaml', '.hadolint.yml'];

/** Looks for configurations; each folder is looked at once, each file read once. */
export class ConfigurationFinder {
  private readonly env: NodeJS.ProcessEnv;
  private readonly byFolder = new Map<string, FoundConfiguration>();
  private own: FoundConfiguration | undefined;

  constructor(env: NodeJS.ProcessEnv) {
    this.env = env;
  }

  /** The configuration for files of a folder. */
  forFolder(folder: string): FoundConfiguration {
    const path = resolve(folder);
    const known = this.byFolder.get(path);
    if (known !== undefined) return known;
    const found = firstOf(NAMES.map((name) => join(path, name))) ?? this.above(path);
    this.byFolder.set(path, found);
    return found;
  }

  private above(path: string): FoundConfiguration {
    const parent = dirname(path);
    return parent === path ? this.ofUser() : this.forFolder(parent);
  }

  private ofUser(): FoundConfiguration {
    const home = this.env['HOME'] ?? homedir();
    const config = this.env['XDG_CONFIG_HOME'] ?? join(home, '.config');
    const places = [
      join(config, 'hadolint'),
      join(home, '.hadolint', 'hadolint'),
      join(home, 'hadolint', 'config'),
    ];
    this.own ??= firstOf(places.flatMap((place) => [`${place}.yaml`, `${place}.yml`])) ?? {
      path: undefined,
      configuration: readConfiguration(''),
    };
    return this.own;
  }
}

/** A configuration that is named. Throws not-found. */
export function readConfigurationFile(path: string): FoundConfiguration {
  const found = firstOf([path]);
  if (found === undefined)
    throw new EngineError('not-found', `the configuration ${path} does not exist`, { path });
  return found;
}

function firstOf(paths: readonly string[]): FoundConfiguration | undefined {
  for (const path of paths) {
    const text = textOf(path);
    if (text !== undefined) return { path, configuration: readConfiguration(text) };
  }
  return undefined;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined;
    throw new EngineError('invalid', `the configuration ${path} cannot be read`, {
      path,
      cause: error,
    });
  }
}
