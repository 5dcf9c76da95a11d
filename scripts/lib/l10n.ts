// What people read, for translators: the texts of the manifest and the sentences of the sources. Made anew for each package, so that neither can go stale.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './shell.ts';

export type Words = Readonly<Record<string, string>>;

/** Properties of package.json that people read, wherever they stand below `contributes` and `capabilities`. */
const READ = new Set([
  'title',
  'shortTitle',
  'category',
  'description',
  'markdownDescription',
  'enumDescriptions',
  'markdownEnumDescriptions',
  'deprecationMessage',
  'label',
  'contextualTitle',
  'contents',
  'altText',
]);

/** What of an entry of a list tells it from the others, in the names of its texts. */
const NAMES = ['command', 'view', 'id', 'name', 'type'] as const;

/** The manifest with `%key%` for every text that people read, and the texts: package.nls.json. */
export function localized<M extends object>(manifest: M): { manifest: M; words: Words } {
  const words: Record<string, string> = {};
  const put = (path: readonly string[], text: string): string => {
    const base = path.join('.');
    let key = base;
    for (let at = 2; key in words && words[key] !== text; at += 1) key = `${base}.${String(at)}`;
    words[key] = text;
    return `%${key}%`;
  };
  const walk = (value: unknown, path: readonly string[]): unknown => {
    if (Array.isArray(value))
      return value.map((item: unknown, at) => walk(item, [...path, nameOf(item) ?? String(at)]));
    if (typeof value !== 'object' || value === null) return value;
    const isView = path.includes('views');
    return Object.fromEntries(
      Object.entries(value as Record<string, unknown>).map(([key, inner]) => {
        const isRead = READ.has(key) || (key === 'name' && isView);
        return [key, isRead ? read(inner, [...path, key]) : walk(inner, [...path, key])];
      }),
    );
  };
  const read = (value: unknown, path: readonly string[]): unknown => {
    if (typeof value === 'string') return value === '' ? value : put(path, value);
    if (Array.isArray(value))
      return value.map((item: unknown, at) => read(item, [...path, String(at)]));
    return walk(value, path);
  };
  const parts = manifest as {
    description?: unknown;
    contributes?: unknown;
    capabilities?: unknown;
  };
  const result = {
    ...manifest,
    l10n: './l10n',
    description: read(parts.description, ['description']),
    capabilities: walk(parts.capabilities, ['capabilities']),
    contributes: walk(parts.contributes, []),
  };
  return { manifest: result, words };
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  for (const key of NAMES) {
    const value: unknown = Reflect.get(item, key);
    if (typeof value === 'string') return value.replace(/^pinnace\./, '');
  }
  return undefined;
}

/** What engines say of containers and of builds' steps, shown as it is. */
const ENGINE = [
  ...['ran', 'cached', 'failed', 'pending', 'cancelled', 'skipped'],
  ...['running', 'paused', 'restarting', 'removing', 'exited', 'dead', 'created', 'Created'],
  ...['Up {0}', 'Up {0} (Paused)', 'Up {0} (healthy)', 'Up {0} (unhealthy)'],
  ...['Up {0} (health: starting)', 'Exited ({0}) {1}', 'Restarting ({0}) {1}'],
];

/** The sentences of the extension and its pages: the base of translations, `l10n/bundle.l10n.json`. */
export function sentences(): Words {
  const files = globSync(
    ['src/extension/**/*.ts', 'src/client/**/*.ts', 'src/lib/errors.ts', 'media/webview/**/*.js'],
    { cwd: ROOT },
  ).filter((file) => !/\.test\.ts$|\/fake-/.test(file));
  const found = files.flatMap((file) => sentencesOf(file, readFileSync(join(ROOT, file), 'utf8')));
  return Object.fromEntries([...new Set([...found, ...ENGINE])].sort().map((text) => [text, text]));
}

/** What is only read by machines or by us: modules, tests of types, logs. */
const LOGS = /(?:^|\.)(?:log|debug|trace|warn|info|error|Error|querySelector|setAttribute)$/;

/** The texts of a source that look like words for people; `{0}`, `{1}` stand where something is put in. */
export function sentencesOf(file: string, source: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node)) return;
    if (ts.isCallExpression(node) && LOGS.test(node.expression.getText())) {
      if (!node.expression.getText().includes('window')) return;
    }
    const text = textOf(node);
    if (text !== undefined && isRead(text)) found.push(text);
    if (ts.isStringLiteral(node)) found.push(...madeOf(node));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true));
  return found;
}

/** Sentences that are put together from single words elsewhere: what commands/each.ts makes of its `Work`, and numbers of things. */
function madeOf(node: ts.StringLiteral): string[] {
  const { text } = node;
  let { parent } = node as { parent: ts.Node };
  while (ts.isConditionalExpression(parent)) parent = parent.parent;
  const property = ts.isPropertyAssignment(parent) ? parent.name.getText() : '';
  const call = ts.isCallExpression(parent) ? parent.expression.getText() : '';
  // Words of pages are named as such, also single small ones.
  if (call === 't') return [text];
  if (property === 'doing') return [`${text} {0}`];
  if (property === 'verb') return [`Could not ${text} {0}`];
  const isCounted = property === 'one' || call === 'count' || call === 'plural';
  const counted = [`1 ${text}`, `{0} ${text}s`];
  if (call === 'named') return [...counted, `${text} {0}`];
  return isCounted ? counted : [];
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) {
    const isKey = ts.isPropertyAssignment(node.parent) && node.parent.name === node;
    return isKey || ts.isLiteralTypeNode(node.parent) ? undefined : node.text;
  }
  if (!ts.isTemplateExpression(node)) return undefined;
  const spans = node.templateSpans.map(({ literal }, at) => `{${String(at)}}${literal.text}`);
  return node.head.text + spans.join('');
}

/** Words with a space between them, or one that begins as a sentence does; no markup, code or format of a machine. */
function isRead(text: string): boolean {
  const plain = text.replaceAll(/\{\d\}/g, '');
  if (/[<>\\=]|--|::|^\/|^\s*[.#$@]|\$\{|;$/.test(plain) || /^[A-Z_]+$/.test(plain)) return false;
  if (/^[A-Z][a-z]+(?:[A-Z]\w*)+$/.test(plain)) return false;
  return (
    /^\p{Lu}\p{Ll}+[….:]?$/u.test(plain.trim()) || /\p{L}{2,}[^\p{L}]* |\s\p{L}{2,}/u.test(plain)
  );
}
