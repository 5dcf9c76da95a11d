/** Remote authorities of windows inside containers: `pinnace+HEX`, the hex of a small JSON. Pure. */
import { EngineError } from '../../lib/errors.ts';

export const AUTHORITY_PREFIX = 'pinnace';

/** Which container a window is inside of: the dev container of a folder of this machine, or any by its id. */
export type Target =
  | { readonly folder: string; readonly engine: string }
  | { readonly container: string; readonly engine: string };

/** Editors put authorities into lower case: hex survives it. */
export function authorityOf(target: Target): string {
  return `${AUTHORITY_PREFIX}+${Buffer.from(JSON.stringify(target)).toString('hex')}`;
}

/** Throws `invalid` for what `authorityOf` has not made: links and histories hold such names, so they are judged. */
export function targetOf(authority: string): Target {
  const target = decoded(authority);
  if (target === undefined)
    throw new EngineError(
      'invalid',
      `${authority} names no container; open one with "Reopen in Container" or "Attach to Container"`,
    );
  return target;
}

/** The folder of this machine that a window inside its container shows. */
export function localFolderOf(uri: {
  readonly scheme: string;
  readonly authority: string;
}): string | undefined {
  const target = uri.scheme === 'vscode-remote' ? decoded(uri.authority) : undefined;
  return target !== undefined && 'folder' in target ? target.folder : undefined;
}

function decoded(authority: string): Target | undefined {
  const hex = /^pinnace\+((?:[0-9a-f]{2})+)$/.exec(authority)?.[1];
  return hex === undefined ? undefined : parsed(Buffer.from(hex, 'hex').toString());
}

function parsed(text: string): Target | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { folder, container, engine } = value as Record<string, unknown>;
  if (typeof engine !== 'string') return undefined;
  if (typeof folder === 'string' && folder.startsWith('/') && container === undefined)
    return { folder, engine };
  if (typeof container === 'string' && /^[\w][\w.-]*$/.test(container) && folder === undefined)
    return { container, engine };
  return undefined;
}
