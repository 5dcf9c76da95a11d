/**
 * The part of Go's text/template that `--format` uses: fields, pipelines, variables, if, range, with,
 * and docker's functions. It works on plain JSON values and never runs code.
 */

import { fail, FUNCTIONS, print, truth, type Value } from './template-functions.ts';

export type { Value };

type Expression =
  | { kind: 'value'; value: Value }
  | { kind: 'field'; from: Expression | null; names: string[] }
  | { kind: 'variable'; name: string }
  | { kind: 'call'; name: string; args: Expression[] };

type Node =
  | { kind: 'text'; text: string }
  | { kind: 'print'; expression: Expression }
  | { kind: 'set'; name: string; expression: Expression }
  | { kind: 'if' | 'with'; condition: Expression; then: Node[]; otherwise: Node[] }
  | {
      kind: 'range';
      over: Expression;
      key: string | null;
      item: string | null;
      then: Node[];
      otherwise: Node[];
    };

interface Scope {
  readonly dot: Value;
  readonly variables: Map<string, Value>;
}

/** A compiled template. */
export type Template = (value: Value) => string;

/** Compiles; throws `invalid` with what is wrong. */
export function compile(source: string): Template {
  const text = source.replaceAll('\\t', '\t').replaceAll('\\n', '\n');
  const parser = new Parser(text);
  const nodes = parser.block([]);
  return (value) => render(nodes, { dot: value, variables: new Map([['$', value]]) });
}

class Parser {
  private readonly parts: { text: string; action: boolean }[] = [];
  private at = 0;
  /** The action that ended the last block: end, else, else if …. */
  private closer = '';

  constructor(source: string) {
    let rest = source;
    for (;;) {
      const open = rest.indexOf('{{');
      if (open === -1) break;
      const close = rest.indexOf('}}', open);
      if (close === -1) fail('unclosed action');
      let before = rest.slice(0, open);
      let action = rest.slice(open + 2, close);
      rest = rest.slice(close + 2);
      if (action.startsWith('- ')) {
        before = before.trimEnd();
        action = action.slice(1);
      }
      if (action.endsWith(' -')) {
        rest = rest.trimStart();
        action = action.slice(0, -1);
      }
      this.parts.push({ text: before, action: false }, { text: action.trim(), action: true });
    }
    this.parts.push({ text: rest, action: false });
  }

  /** Nodes up to one of the closing words; `[]` means up to the end. */
  block(closers: readonly string[]): Node[] {
    const nodes: Node[] = [];
    while (this.at < this.parts.length) {
      const part = this.parts[this.at];
      this.at += 1;
      if (part === undefined) break;
      if (!part.action) {
        if (part.text !== '') nodes.push({ kind: 'text', text: part.text });
        continue;
      }
      const word = /^\w+/.exec(part.text)?.[0] ?? '';
      if (closers.includes(word)) {
        this.closer = part.text;
        return nodes;
      }
      if (!part.text.startsWith('/*')) nodes.push(this.action(word, part.text));
    }
    if (closers.length > 0) fail('unexpected EOF');
    return nodes;
  }

  private action(word: string, text: string): Node {
    if (word === 'if' || word === 'with') return this.branch(word, text.slice(word.length));
    if (word === 'range') return this.range(text.slice('range'.length));
    if (word === 'end' || word === 'else') fail(`unexpected {{${word}}}`);
    const set = /^(\$\w*)\s*:?=\s*(.+)$/s.exec(text);
    if (set !== null)
      return { kind: 'set', name: set[1] ?? '', expression: parsePipeline(set[2] ?? '') };
    return { kind: 'print', expression: parsePipeline(text) };
  }

  private branch(kind: 'if' | 'with', condition: string): Node {
    const then = this.block(['else', 'end']);
    return { kind, condition: parsePipeline(condition), then, otherwise: this.otherwise() };
  }

  private otherwise(): Node[] {
    const closer = this.closer;
    if (!closer.startsWith('else')) return [];
    const chained = /^else\s+(if|with)\b(.*)$/s.exec(closer);
    if (chained !== null)
      return [this.branch(chained[1] === 'if' ? 'if' : 'with', chained[2] ?? '')];
    return this.block(['end']);
  }

  private range(head: string): Node {
    const named = /^\s*(\$\w+)(?:\s*,\s*(\$\w+))?\s*:=\s*(.+)$/s.exec(head);
    const then = this.block(['else', 'end']);
    const [key, item] =
      named === null
        ? [null, null]
        : named[2] === undefined
          ? [null, named[1] ?? null]
          : [named[1] ?? null, named[2]];
    return {
      kind: 'range',
      over: parsePipeline(named?.[3] ?? head),
      key,
      item,
      then,
      otherwise: this.otherwise(),
    };
  }
}

const TOKEN =
  /\s*(?:("(?:[^"\\]|\\.)*")|`([^`]*)`|(-?\d+(?:\.\d+)?)|(\$\w*(?:\.\w+)*)|(\.[\w.]*)|([A-Za-z_]\w*)|([()|]))/y;

interface Token {
  readonly kind: 'string' | 'number' | 'variable' | 'field' | 'word' | 'mark';
  readonly text: string;
}

const KINDS: readonly Token['kind'][] = [
  'string',
  'string',
  'number',
  'variable',
  'field',
  'word',
  'mark',
];

function tokens(source: string): Token[] {
  const found: Token[] = [];
  const scanner = new RegExp(TOKEN);
  const trimmed = source.trim();
  while (scanner.lastIndex < trimmed.length) {
    const start = scanner.lastIndex;
    const match = scanner.exec(trimmed);
    if (match === null) fail(`unexpected ${JSON.stringify(trimmed.slice(start))}`);
    const group = match.slice(1).findIndex((text) => (text as string | undefined) !== undefined);
    const text = match[group + 1] ?? '';
    found.push({
      kind: KINDS[group] ?? 'mark',
      text: group === 0 ? (JSON.parse(text) as string) : text,
    });
  }
  return found;
}

function parsePipeline(source: string): Expression {
  const list = tokens(source);
  const state = { list, at: 0 };
  const expression = pipeline(state);
  if (state.at < list.length)
    fail(`unexpected ${JSON.stringify(list[state.at]?.text)} in ${JSON.stringify(source.trim())}`);
  return expression;
}

interface State {
  readonly list: readonly Token[];
  at: number;
}

function pipeline(state: State): Expression {
  let left = command(state);
  while (state.list[state.at]?.text === '|') {
    state.at += 1;
    const next = command(state);
    if (next.kind !== 'call') fail('a pipeline goes into a function');
    left = { ...next, args: [...next.args, left] };
  }
  return left;
}

function command(state: State): Expression {
  const first = state.list[state.at];
  if (first?.kind !== 'word' || first.text in LITERALS) return operand(state);
  state.at += 1;
  if (!(first.text in FUNCTIONS)) fail(`function ${JSON.stringify(first.text)} not defined`);
  const args: Expression[] = [];
  for (
    let next = state.list[state.at];
    next !== undefined && next.text !== '|' && next.text !== ')';
    next = state.list[state.at]
  ) {
    args.push(operand(state));
  }
  return { kind: 'call', name: first.text, args };
}

const LITERALS: Record<string, Value> = { true: true, false: false, nil: null };

function operand(state: State): Expression {
  const token = state.list[state.at];
  state.at += 1;
  if (token === undefined) return fail('a value is missing');
  if (token.kind === 'string') return { kind: 'value', value: token.text };
  if (token.kind === 'number') return { kind: 'value', value: Number(token.text) };
  if (token.kind === 'field')
    return {
      kind: 'field',
      from: null,
      names: token.text.split('.').filter((name) => name !== ''),
    };
  if (token.kind === 'variable') {
    const [name = '$', ...names] = token.text.split('.');
    return { kind: 'field', from: { kind: 'variable', name }, names };
  }
  if (token.text === '(') {
    const inner = pipeline(state);
    if (state.list[state.at]?.text !== ')') fail('unclosed left paren');
    state.at += 1;
    const field = state.list[state.at];
    if (field?.kind !== 'field') return inner;
    state.at += 1;
    return {
      kind: 'field',
      from: inner,
      names: field.text.split('.').filter((name) => name !== ''),
    };
  }
  if (token.text in LITERALS) return { kind: 'value', value: LITERALS[token.text] ?? null };
  if (token.text in FUNCTIONS) return { kind: 'call', name: token.text, args: [] };
  return fail(`function ${JSON.stringify(token.text)} not defined`);
}

function render(nodes: readonly Node[], scope: Scope): string {
  return nodes.map((node) => renderNode(node, scope)).join('');
}

function renderNode(node: Node, scope: Scope): string {
  if (node.kind === 'text') return node.text;
  if (node.kind === 'print') return print(evaluate(node.expression, scope));
  if (node.kind === 'set') {
    scope.variables.set(node.name, evaluate(node.expression, scope));
    return '';
  }
  if (node.kind === 'range') return renderRange(node, scope);
  const condition = evaluate(node.condition, scope);
  if (!truth(condition)) return render(node.otherwise, scope);
  return render(node.then, node.kind === 'with' ? { ...scope, dot: condition } : scope);
}

function renderRange(node: Node & { kind: 'range' }, scope: Scope): string {
  const over = evaluate(node.over, scope);
  const entries: [Value, Value][] = Array.isArray(over)
    ? over.map((item, index) => [index, item])
    : over !== null && typeof over === 'object'
      ? Object.entries(over).sort(([a], [b]) => (a < b ? -1 : 1))
      : [];
  if (entries.length === 0) return render(node.otherwise, scope);
  return entries
    .map(([key, item]) => {
      const variables = new Map(scope.variables);
      if (node.key !== null) variables.set(node.key, key);
      if (node.item !== null) variables.set(node.item, item);
      return render(node.then, { dot: item, variables });
    })
    .join('');
}

function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'value':
      return expression.value;
    case 'variable': {
      const value = scope.variables.get(expression.name);
      return value === undefined
        ? fail(`undefined variable ${JSON.stringify(expression.name)}`)
        : value;
    }
    case 'field':
      return field(
        expression.from === null ? scope.dot : evaluate(expression.from, scope),
        expression.names,
      );
    case 'call': {
      const call = FUNCTIONS[expression.name];
      if (call === undefined)
        return fail(`function ${JSON.stringify(expression.name)} not defined`);
      return call(expression.args.map((arg) => evaluate(arg, scope)));
    }
  }
}

function field(from: Value, names: readonly string[]): Value {
  let value = from;
  for (const name of names) {
    if (value === null) return fail(`nil data; no entry for key ${JSON.stringify(name)}`);
    if (typeof value !== 'object' || Array.isArray(value))
      return fail(`can't evaluate field ${name}`);
    const next: Value | undefined = value[name];
    if (next === undefined) return fail(`map has no entry for key ${JSON.stringify(name)}`);
    value = next;
  }
  return value;
}
