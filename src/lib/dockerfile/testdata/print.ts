/** Prints a parsed Dockerfile as text for the golden tests: one line for each fact, ranges as line:column from 1. */
import type { Command, Dockerfile, Instruction, Range, Word } from '../parse.ts';

/** The printed tree, problems last. */
export function printDockerfile(file: Dockerfile): string {
  const out: string[] = [];
  const { syntax, escape, check, escapeCharacter } = file.directives;
  for (const directive of [syntax, escape, check]) {
    if (directive === undefined) continue;
    out.push(`directive ${directive.name}=${directive.value} ${place(file, directive.range)}`);
  }
  if (escapeCharacter !== '\\') out.push(`escape ${escapeCharacter}`);
  for (const comment of file.comments)
    out.push(`comment ${place(file, comment.range)} ${comment.text}`);
  for (const instruction of file.instructions) out.push(...printInstruction(file, instruction, ''));
  for (const { index, name, range } of file.stages) {
    out.push(`stage ${String(index)} ${name ?? '-'} ${place(file, range)}`);
  }
  for (const { code, severity, message, range } of file.problems) {
    const at = { start: range.start.offset, end: range.end.offset };
    out.push(`${severity} ${code} ${place(file, at)} ${message}`);
  }
  return `${out.join('\n')}\n`;
}

function place({ lines }: Dockerfile, range: Range): string {
  const { start, end } = lines.span(range);
  const from = `${String(start.line + 1)}:${String(start.character + 1)}`;
  return `${from}-${String(end.line + 1)}:${String(end.character + 1)}`;
}

function printInstruction(file: Dockerfile, instruction: Instruction, indent: string): string[] {
  const head = `${indent}${instruction.kind} ${place(file, instruction.range)}`;
  const out = [head];
  const inner = `${indent}  `;
  for (const comment of instruction.comments) out.push(`${inner}doc ${comment}`);
  for (const { name, value, range } of instruction.flags) {
    out.push(
      `${inner}flag ${place(file, range)} ${name}${value === undefined ? '' : `=${value.text}`}`,
    );
  }
  for (const [key, value] of facts(instruction)) {
    out.push(...printFact(file, { key, value, indent: inner }));
  }
  if (instruction.kind === 'ONBUILD') {
    out.push(`${inner}trigger ${JSON.stringify(instruction.trigger)}`);
    if (instruction.instruction !== undefined) {
      out.push(...printInstruction(file, instruction.instruction, inner));
    }
  }
  return out;
}

const SKIPPED = new Set([
  'kind',
  'range',
  'keyword',
  'flags',
  'argument',
  'original',
  'comments',
  'instruction',
  'trigger',
]);

function facts(instruction: Instruction): [string, unknown][] {
  return Object.entries(instruction).filter(
    ([key, value]) => !SKIPPED.has(key) && value !== undefined && value !== false,
  );
}

function printFact(
  file: Dockerfile,
  { key, value, indent }: { key: string; value: unknown; indent: string },
): string[] {
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) => printFact(file, { key, value: item, indent }));
  }
  if (isWord(value))
    return [`${indent}${key} ${place(file, value.range)} ${JSON.stringify(value.text)}`];
  if (isRange(value)) return [`${indent}${key} ${place(file, value)}`];
  if (isCommand(value)) {
    const words = value.form === 'exec' ? value.words : [value.command];
    return words.flatMap((word) =>
      printFact(file, { key: `${key} ${value.form}`, value: word, indent }),
    );
  }
  if (typeof value === 'object' && value !== null) {
    const nested = Object.entries(value).filter(([, item]) => item !== undefined && item !== false);
    return [
      `${indent}${key}`,
      ...nested.flatMap(([name, item]: [string, unknown]) =>
        printFact(file, { key: name, value: item, indent: `${indent}  ` }),
      ),
    ];
  }
  return [`${indent}${key} ${JSON.stringify(value)}`];
}

function isWord(value: unknown): value is Word {
  return typeof value === 'object' && value !== null && 'text' in value && 'breaks' in value;
}

function isCommand(value: unknown): value is Command {
  return typeof value === 'object' && value !== null && 'form' in value;
}

function isRange(value: unknown): value is Range {
  return (
    typeof value === 'object' &&
    value !== null &&
    'start' in value &&
    typeof value.start === 'number'
  );
}
