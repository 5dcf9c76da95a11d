/** Finds the `.hadolint.yaml` that counts for a Dockerfile: the nearest above it, else the user's own. Reads only. */

import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import {
  type Configuration,
  readConfiguration,
} from '../../lib/dockerfile/lint/config/hadolint.ts';
import { EngineError, messageOf } from '../../lib/errors.ts';
import { readSmallFile } from '../build/disk.ts';

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

  /** The configuration for files of a folder. One that cannot be read has that as its problem, and nothing else. */
  forFolder(folder: string): FoundConfiguration {
    const path = resolve(folder);
    const known = this.byFolder.get(path);
    if (known !== undefined) return known;
    const found = searched(NAMES.map((name) => join(path, name))) ?? this.above(path);
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
    this.own ??= searched(places.flatMap((place) => [`${place}.yaml`, `${place}.yml`])) ?? {
      path: undefined,
      configuration: readConfiguration(''),
    };
    return this.own;
  }
}

/** What is found by itself stops nobody: its folder may be anybody's. */
function searched(paths: readonly string[]): FoundConfiguration | undefined {
  for (const path of paths) {
    try {
      const found = firstOf([path]);
      if (found !== undefined) return found;
    } catch (error) {
      const problem = { message: messageOf(error), line: 0, character: 0, key: '' };
      const configuration = { ...readConfiguration(''), problems: [problem] };
      return { path, configuration };
    }
  }
  return undefined;
}

/** A configuration that is named. Throws not-found, and invalid when it cannot be read. */
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
    return readSmallFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'EACCES')
      return undefined;
    const message = `the configuration ${path} cannot be read: ${messageOf(error)}`;
    throw new EngineError('invalid', message, { path, cause: error });
  }
}
