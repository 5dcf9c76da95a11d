/** What an editor says of itself in product.json, and where the VS Code Server of exactly its commit is to be had. Fetches nothing. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, messageOf } from '../../lib/errors.ts';

export interface Product {
  /** Forty hex digits; a server serves clients of its own commit alone. */
  readonly commit: string;
  /** `stable`, `insider`, … */
  readonly quality: string;
  readonly version: string;
  /** A second number of VSCodium's versions. */
  readonly release: string;
  /** `.vscode-server`: where other extensions keep servers, below the home. */
  readonly serverDataFolder: string | undefined;
  /** Of builds that are not Microsoft's, with `${quality}`, `${version}`, `${commit}`, `${os}`, `${arch}`, `${release}`. */
  readonly downloadTemplate: string | undefined;
  /** The update service, which hands out servers too. */
  readonly updateUrl: string | undefined;
}

/** The setting that names another place for servers. */
export const DOWNLOAD_SETTING = 'pinnace.devcontainer.serverDownloadUrl';

/** Reads `appRoot/product.json`. Throws `unavailable` when it is missing, broken or of a build without a commit. */
export function readProduct(appRoot: string): Product {
  const path = join(appRoot, 'product.json');
  let facts: Readonly<Record<string, unknown>>;
  try {
    facts = JSON.parse(readFileSync(path, 'utf8')) as typeof facts;
  } catch (cause) {
    throw new EngineError(
      'unavailable',
      `the editor's ${path} cannot be read: ${messageOf(cause)}`,
      {
        cause,
        path,
      },
    );
  }
  const text = (key: string): string | undefined => {
    const value = facts[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const commit = text('commit');
  if (commit === undefined || !/^[0-9a-f]{7,40}$/.test(commit))
    throw new EngineError(
      'unavailable',
      `${path} names no commit: this editor was built without one, and no VS Code Server belongs to it`,
      { path },
    );
  return {
    commit,
    quality: word(text('quality') ?? 'stable', path),
    version: word(text('version') ?? '0', path),
    release: word(text('release') ?? '0', path),
    serverDataFolder: text('serverDataFolderName'),
    downloadTemplate: text('serverDownloadUrlTemplate'),
    updateUrl: text('updateUrl'),
  };
}

/** Parts of addresses and folder names: nothing that could lead elsewhere. */
function word(value: string, path: string): string {
  if (/^[\w.+-]+$/.test(value) && value !== '..' && value !== '.') return value;
  throw new EngineError('unavailable', `${path}: "${value}" is no name of a version`, { path });
}

const ARCHES: Readonly<Record<string, string>> = { x64: 'x64', arm64: 'arm64', arm: 'armhf' };

/** VS Code's name of a machine, of Node's. Throws `unavailable` where there are no servers for it. */
export function serverArch(arch: string): string {
  const found = ARCHES[arch];
  if (found !== undefined) return found;
  throw new EngineError('unavailable', `there is no VS Code Server for ${arch} machines`);
}

/** The address of the server's archive; `template` is the user's own. Throws `unavailable` when nobody names one, `invalid` for a template that is no address. */
export function downloadAddress(product: Product, arch: string, template: string): URL {
  const chosen = template === '' ? product.downloadTemplate : template;
  const platform = serverArch(arch);
  if (chosen === undefined) {
    if (product.updateUrl === undefined)
      throw new EngineError(
        'unavailable',
        `this editor does not say where its VS Code Server is to be had; name an address in ${DOWNLOAD_SETTING}`,
      );
    return addressOf(
      `${product.updateUrl}/commit:${product.commit}/server-linux-${platform}/${product.quality}`,
    );
  }
  const values: Readonly<Record<string, string>> = {
    quality: product.quality,
    version: product.version,
    commit: product.commit,
    release: product.release,
    os: 'linux',
    arch: platform,
  };
  const filled = chosen.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  return addressOf(filled);
}

function addressOf(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || text.includes('${'))
    throw new EngineError(
      'invalid',
      `${text} is no address of a VS Code Server: it must begin with https:// or http://, with nothing but \${quality}, \${version}, \${commit}, \${release}, \${os} and \${arch} to be filled in (${DOWNLOAD_SETTING})`,
    );
  return url;
}
