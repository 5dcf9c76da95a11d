/** The indent that `.editorconfig` files ask for in a file. Reads only; small files, from the file's folder upwards. */
import { lstatSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import {
  type EditorConfig,
  matchesEditorConfig,
  readEditorConfig,
} from '../../lib/text/editorconfig.ts';

const SIZE_LIMIT = 256 * 1024;
const HEIGHT_LIMIT = 40;
const WIDEST = 16;

/** Spaces, or a tab; undefined: no file says. */
export function editorConfigIndent(path: string): number | 'tab' | undefined {
  const file = resolve(path);
  const found: { folder: string; config: EditorConfig }[] = [];
  let folder = dirname(file);
  for (let height = 0; height < HEIGHT_LIMIT; height++) {
    const config = read(join(folder, '.editorconfig'));
    if (config !== undefined) found.push({ folder, config });
    const above = dirname(folder);
    if (config?.root === true || above === folder) break;
    folder = above;
  }
  const all = new Map<string, string>();
  // The nearest file, and in it the last section, has the last word.
  for (const { folder: root, config } of found.reverse()) {
    const inside = relative(root, file).split(sep).join('/');
    for (const { glob, properties } of config.sections) {
      if (!matchesEditorConfig(glob, inside)) continue;
      for (const [name, value] of properties) all.set(name, value);
    }
  }
  return indentOf(all);
}

function indentOf(properties: ReadonlyMap<string, string>): number | 'tab' | undefined {
  const style = properties.get('indent_style');
  const size = properties.get('indent_size');
  if (style === 'tab' || (style === undefined && size === 'tab')) return 'tab';
  const count = Number(size === 'tab' ? properties.get('tab_width') : size);
  return Number.isInteger(count) && count >= 1 && count <= WIDEST ? count : undefined;
}

function read(path: string): EditorConfig | undefined {
  try {
    const facts = lstatSync(path);
    if (!facts.isFile() || facts.size > SIZE_LIMIT) return undefined;
    return readEditorConfig(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // Not there, or not to be read: it says nothing.
  }
}
