/** Reads `.editorconfig` (spec.editorconfig.org 0.17) as far as indents go: its sections, and which of them a path is in. Pure. */

export interface EditorConfigSection {
  readonly glob: string;
  /** Names and values in lower case. */
  readonly properties: ReadonlyMap<string, string>;
}

export interface EditorConfig {
  /** No file of a folder above counts. */
  readonly root: boolean;
  readonly sections: readonly EditorConfigSection[];
}

/** Every text is one: lines that mean nothing are left out. */
export function readEditorConfig(text: string): EditorConfig {
  const sections: { glob: string; properties: Map<string, string> }[] = [];
  let root = false;
  for (const line of text.replace(/^\ufeff/, '').split(/\r?\n/)) {
    const bare = line.trim();
    if (bare === '' || bare.startsWith('#') || bare.startsWith(';')) continue;
    if (bare.startsWith('[') && bare.endsWith(']')) {
      sections.push({ glob: bare.slice(1, -1), properties: new Map() });
      continue;
    }
    const equals = bare.indexOf('=');
    if (equals < 1) continue;
    const name = bare.slice(0, equals).trim().toLowerCase();
    const value = bare
      .slice(equals + 1)
      .trim()
      .toLowerCase();
    const section = sections.at(-1);
    if (section === undefined) root ||= name === 'root' && value === 'true';
    else section.properties.set(name, value);
  }
  return { root, sections };
}

/** The longest section name that the specification asks for. */
const GLOB_LIMIT = 1024;
/** With more wildcards a glob takes too long on long paths; nobody writes one. */
const WILDCARD_LIMIT = 12;
const RANGE_LIMIT = 256;

/** True when a glob matches a path, which is relative to the file's folder, `/` between. */
export function matchesEditorConfig(glob: string, path: string): boolean {
  const wildcards = glob.match(/\*+|\?|\{/g)?.length ?? 0;
  if (glob.length > GLOB_LIMIT || wildcards > WILDCARD_LIMIT) return false;
  const inner = glob.replace(/^\//, '');
  const anywhere = glob.includes('/') ? '' : '(?:.*/)?';
  try {
    return new RegExp(`^${anywhere}${patternOf(inner)}$`, 's').test(path);
  } catch {
    return false; // A set such as [z-a] matches nothing.
  }
}

function patternOf(glob: string): string {
  let pattern = '';
  let depth = 0;
  const closes = (glob.match(/\{/g)?.length ?? 0) === (glob.match(/\}/g)?.length ?? 0);
  for (let at = 0; at < glob.length; at++) {
    const char = glob.charAt(at);
    const rest = glob.slice(at);
    const range = /^\{(-?\d{1,9})\.\.(-?\d{1,9})\}/.exec(rest);
    const set = /^\[(!?)([^\]/]+)\]/.exec(rest);
    if (char === '\\') {
      at += 1;
      pattern += escape(glob.charAt(at));
    } else if (rest.startsWith('**')) {
      while (glob.charAt(at + 1) === '*') at += 1;
      pattern += '.*';
    } else if (char === '*') pattern += '[^/]*';
    else if (char === '?') pattern += '[^/]';
    else if (set !== null) {
      pattern += `[${set[1] === '!' ? '^' : ''}${(set[2] ?? '').replaceAll(/[\\^[\]]/g, '\\$&')}]`;
      at += set[0].length - 1;
    } else if (range !== null) {
      pattern += numbers(Number(range[1]), Number(range[2]));
      at += range[0].length - 1;
    } else if (char === '{' && closes && !/^\{[^,{}]*\}/.test(rest)) {
      depth += 1;
      pattern += '(?:';
    } else if (char === ',' && depth > 0) pattern += '|';
    else if (char === '}' && depth > 0) {
      depth -= 1;
      pattern += ')';
    } else pattern += escape(char);
  }
  return depth === 0 ? pattern : escape(glob);
}

function numbers(from: number, to: number): string {
  const low = Math.min(from, to);
  const count = Math.min(Math.abs(to - from) + 1, RANGE_LIMIT);
  return `(?:${Array.from({ length: count }, (_, at) => String(low + at)).join('|')})`;
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
