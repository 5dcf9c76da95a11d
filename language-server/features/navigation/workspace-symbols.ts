/** Stages and arguments of all files, for the search by name over the workspace. */
import { type SymbolInformation, SymbolKind } from 'vscode-languageserver/node';
import type { Dockerfile } from '../../../src/lib/dockerfile/syntax.ts';
import { rangeAt } from '../positions.ts';

/** The stages and global arguments of a file whose names hold the query's letters in their order. */
export function workspaceSymbolsOf(
  file: Dockerfile,
  uri: string,
  query: string,
): SymbolInformation[] {
  const found: SymbolInformation[] = [];
  const container = containerOf(uri);
  for (const { name: text, from, index } of file.stages) {
    const name = text ?? `stage ${String(index)}`;
    const range = rangeAt(file.lines, from.name?.range ?? from.keyword.range);
    if (!matches(name, query) && !matches(from.image.text, query)) continue;
    found.push({
      name,
      kind: SymbolKind.Module,
      containerName: container,
      location: { uri, range },
    });
  }
  for (const { name } of file.globalArgs.flatMap(({ pairs }) => pairs)) {
    if (name.text === '' || !matches(name.text, query)) continue;
    const location = { uri, range: rangeAt(file.lines, name.range) };
    found.push({ name: name.text, kind: SymbolKind.Variable, containerName: container, location });
  }
  return found;
}

/** The letters of the query occur in the name in this order, whatever their case. */
function matches(name: string, query: string): boolean {
  const text = name.toLowerCase();
  let at = 0;
  for (const character of query.toLowerCase()) {
    at = text.indexOf(character, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

/** The file's name and its folder's. */
function containerOf(uri: string): string {
  const parts = uri.split('/').slice(-2).map(decode);
  return parts.join('/');
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // A lone percent sign: shown as it is.
  }
}
