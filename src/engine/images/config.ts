/** Reads the registry settings of this engine from its environment and its data root. Their meaning is not decided here. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../lib/errors.ts';
import { type RegistryConfig, registryConfigOf } from '../../lib/image/registry-config.ts';

/** Reads `<data-root>/config.json` and PINNACE_REGISTRY_MIRROR. Throws `invalid` naming the file or variable and the member. */
export function readRegistryConfig(env: NodeJS.ProcessEnv, dataRoot: string): RegistryConfig {
  const file = join(dataRoot, 'config.json');
  return registryConfigOf({
    file,
    text: textOf(file),
    variable: env['PINNACE_REGISTRY_MIRROR'],
    protocolOf: (url) => URL.parse(url)?.protocol,
  });
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new EngineError('unavailable', `${file} cannot be read`, { cause: error, path: file });
  }
}
