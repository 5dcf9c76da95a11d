/** Addresses of files in containers, images and volumes: `pinnace-files://container+<id>/path`. Pure. */
import { folderOf, joinPath, normalPath, type TreeName } from '../../client/files/tree.ts';
import { EngineError } from '../../lib/errors.ts';

export const SCHEME = 'pinnace-files';

export interface FileAddress extends TreeName {
  /** Absolute and normal. */
  readonly path: string;
  /** Eight hexadecimal digits, of a volume of another engine than the bundled one: two engines may have volumes of one name. */
  readonly engine?: string;
}

/** The parts of an address as the editor's Uri has them, decoded. */
export interface AddressParts {
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
}

/**
 * Editors compare authorities without regard to case, so a volume's name with capitals is written as hexadecimal
 * digits behind a `~`; an image's id stands without its `sha256:`.
 */
export function partsOf({ kind, id, path, engine }: FileAddress): AddressParts {
  const name = id.replace(/^sha256:/, '');
  const safe = /[A-Z]/.test(name) ? `~${Buffer.from(name, 'utf8').toString('hex')}` : name;
  const on = engine === undefined ? '' : `+${engine}`;
  return { scheme: SCHEME, authority: `${kind}+${safe}${on}`, path };
}

/** Throws EngineError (invalid) for what is no address of ours. */
export function addressOf({ scheme, authority, path }: AddressParts): FileAddress {
  const found =
    /^(container|image|volume)\+([a-z0-9][a-z0-9_.-]*|~(?:[0-9a-f]{2})+)(?:\+([0-9a-f]{8}))?$/.exec(
      authority,
    );
  const [, kind, name = '', engine] = found ?? [];
  if (scheme !== SCHEME || (kind !== 'container' && kind !== 'image' && kind !== 'volume'))
    throw new EngineError('invalid', `not an address of files: ${scheme}://${authority}`);
  const id = name.startsWith('~') ? Buffer.from(name.slice(1), 'hex').toString('utf8') : name;
  return {
    kind,
    id: kind === 'image' ? `sha256:${id}` : id,
    path: normalPath(path),
    ...(engine === undefined ? {} : { engine }),
  };
}

/** As text that any reader of URIs takes. */
export function addressText(address: FileAddress): string {
  const { scheme, authority, path } = partsOf(address);
  return `${scheme}://${encodeURIComponent(authority)}${path.split('/').map(encodeURIComponent).join('/')}`;
}

/** Of addressText's form. Throws EngineError (invalid). */
export function parseAddressText(text: string): FileAddress {
  const found = /^([\w-]+):\/\/([^/]*)(\/.*)$/.exec(text);
  if (found === null) throw new EngineError('invalid', `not an address of files: ${text}`);
  const [, scheme = '', authority = '', path = ''] = found;
  try {
    return addressOf({
      scheme,
      authority: decodeURIComponent(authority),
      path: decodeURIComponent(path),
    });
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError('invalid', `not an address of files: ${text}`, { cause });
  }
}

export function below(address: FileAddress, name: string): FileAddress {
  return { ...address, path: joinPath(address.path, name) };
}

export function above(address: FileAddress): FileAddress {
  return { ...address, path: folderOf(address.path) };
}
