/** Prints a shell reading as indented text, for golden tests. It must show every field that a rule may rely on. */
import type {
  Command,
  Condition,
  Logical,
  Pipeline,
  Sequence,
  ShellScript,
  ShellWord,
  WordPart,
} from '../syntax.ts';

export function printScript(script: ShellScript): string {
  const out: string[] = [];
  sequence(script.body, 0, out);
  for (const { code, range, message } of script.problems)
    out.push(`! ${code} ${span(range)} ${message}`);
  return `${out.join('\n')}\n`;
}

function span({ start, end }: { start: number; end: number }): string {
  return `${String(start)}-${String(end)}`;
}

function line(depth: number, text: string, out: string[]): void {
  out.push('  '.repeat(depth) + text);
}

function sequence(list: Sequence, depth: number, out: string[]): void {
  for (const { node, terminator } of list.items) {
    join(node, depth, out);
    if (terminator !== undefined && terminator !== 'newline') line(depth, terminator, out);
  }
}

function join(node: Logical | Pipeline | Command, depth: number, out: string[]): void {
  if (node.kind === 'logical') {
    line(depth, `logical ${span(node.range)} ${node.operators.map(({ text }) => text).join(' ')}`, out);
    for (const part of node.parts) join(part, depth + 1, out);
  } else if (node.kind === 'pipeline') {
    const marks = `${node.negated ? '!' : ''}${node.timed ? 'time ' : ''}`;
    line(depth, `pipeline ${span(node.range)} ${marks}${node.operators.map(({ text }) => text).join(' ')}`, out);
    for (const command of node.commands) join(command, depth + 1, out);
  } else command(node, depth, out);
}

function command(node: Command, depth: number, out: string[]): void {
  line(depth, `${node.kind} ${span(node.range)}`, out);
  inside(node, depth + 1, out);
  for (const { operator, descriptor, target, heredoc } of node.redirects) {
    line(depth + 1, `redirect ${descriptor}${operator}`, out);
    if (target) word(target, depth + 2, out);
    if (!heredoc) continue;
    line(depth + 2, `heredoc ${heredoc.delimiter} ${span(heredoc.bodyRange)} ${JSON.stringify(heredoc.text)}`, out);
    for (const inner of heredoc.parts) part(inner, depth + 3, out);
  }
}

function inside(node: Command, depth: number, out: string[]): void {
  const words = (name: string, list: readonly ShellWord[]): void => {
    if (list.length > 0) line(depth, name, out);
    for (const item of list) word(item, depth + 1, out);
  };
  switch (node.kind) {
    case 'simple':
      for (const { name, index, append, value } of node.assignments) {
        line(depth, `assign ${name}${index === undefined ? '' : `[${index}]`}${append ? '+' : ''}=`, out);
        word(value, depth + 1, out);
      }
      if (node.name) word(node.name, depth, out);
      for (const item of node.arguments) word(item, depth, out);
      break;
    case 'group':
    case 'subshell':
      sequence(node.body, depth, out);
      break;
    case 'if':
      for (const { condition, body } of node.branches) {
        line(depth, 'condition', out);
        sequence(condition, depth + 1, out);
        line(depth, 'then', out);
        sequence(body, depth + 1, out);
      }
      if (node.otherwise) {
        line(depth, 'else', out);
        sequence(node.otherwise, depth + 1, out);
      }
      break;
    case 'case':
      if (node.subject) words('subject', [node.subject]);
      for (const { patterns, body, terminator } of node.items) {
        words(`item ${terminator ?? 'last'}`, patterns);
        sequence(body, depth + 1, out);
      }
      break;
    case 'function':
      if (node.name) word(node.name, depth, out);
      if (node.body) command(node.body, depth, out);
      break;
    case 'test':
      condition(node.expression, depth, out);
      break;
    case 'arithmetic-command':
      part(node.expression, depth, out);
      break;
    default:
      if ('condition' in node) {
        line(depth, 'condition', out);
        sequence(node.condition, depth + 1, out);
      } else {
        if (node.header) part(node.header, depth, out);
        if (node.variable) word(node.variable, depth, out);
        if (node.words) words('in', node.words);
      }
      line(depth, 'do', out);
      sequence(node.body, depth + 1, out);
  }
}

function condition(node: Condition | undefined, depth: number, out: string[]): void {
  if (node === undefined) {
    line(depth, 'nothing', out);
    return;
  }
  line(depth, `${node.kind} ${span(node.range)}`, out);
  switch (node.kind) {
    case 'word':
      word(node.word, depth + 1, out);
      return;
    case 'unary':
      word(node.operator, depth + 1, out);
      if (node.operand) word(node.operand, depth + 1, out);
      return;
    case 'binary':
      word(node.left, depth + 1, out);
      word(node.operator, depth + 1, out);
      if (node.right) word(node.right, depth + 1, out);
      return;
    case 'not':
      condition(node.operand, depth + 1, out);
      return;
    case 'group':
      condition(node.condition, depth + 1, out);
      return;
    default:
      for (const part of node.parts) condition(part, depth + 1, out);
  }
}

function word(node: ShellWord, depth: number, out: string[]): void {
  const [only] = node.parts;
  const plain = node.parts.length === 1 && only?.kind === 'literal' && node.value === only.text;
  const value = plain || node.value === undefined ? '' : ` = ${JSON.stringify(node.value)}`;
  const braces = node.braces.map((range) => ` braces ${span(range)}`).join('');
  line(depth, `word ${span(node.range)} ${JSON.stringify(node.text)}${value}${braces}`, out);
  if (plain) return;
  for (const inner of node.parts) part(inner, depth + 1, out);
}

function part(node: WordPart, depth: number, out: string[]): void {
  line(depth, `${node.kind} ${span(node.range)} ${JSON.stringify(node.text)}`, out);
  if ('parts' in node) for (const inner of node.parts) part(inner, depth + 1, out);
  if (node.kind === 'command' || node.kind === 'process') sequence(node.body, depth + 1, out);
  if (node.kind === 'array') for (const item of node.words) word(item, depth + 1, out);
  if (node.kind !== 'parameter') return;
  const { name, prefix, operator, index, operand } = node;
  if (node.braced) line(depth + 1, `name ${prefix}${name} ${operator}`, out);
  if (index) word(index, depth + 1, out);
  if (operand) word(operand, depth + 1, out);
}
