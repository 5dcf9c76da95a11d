/** Reads one command: a simple one or one of the compound ones, and its redirections. */
import { declaredAt, readAssignment, readDeclared } from './assignments.ts';
import {
  readArithmeticCommand,
  readCase,
  readFor,
  readFunction,
  readGroup,
  readIf,
  readLoop,
  readSubshell,
} from './compounds.ts';
import { readTest } from './conditions.ts';
import { type Cursor, isMeta } from './cursor.ts';
import { arithmeticEnd } from './expansions.ts';
import { keywordAt } from './keywords.ts';
import { readRedirect, redirectAt } from './redirects.ts';
import type { Assignment, Command, Redirect, ShellWord } from './syntax.ts';
import { readWord } from './words.ts';

/** Builtins whose arguments may be assignments with array values. */
const DECLARING = new Set(['declare', 'export', 'local', 'readonly', 'typeset']);

type Compound = (cursor: Cursor, start: number) => Command;

const COMPOUNDS: Readonly<Record<string, Compound | undefined>> = {
  if: readIf,
  while: readLoop,
  until: readLoop,
  for: readFor,
  select: readFor,
  case: readCase,
  function: readFunction,
  '{': readGroup,
  '[[': readTest,
};

/** Reads a command; undefined when none begins here. */
export function readCommand(cursor: Cursor): Command | undefined {
  cursor.findings.work++;
  const start = cursor.at;
  const read = compoundAt(cursor);
  if (read === undefined) return readSimple(cursor);
  const command = cursor.nested(start, () => read(cursor, start));
  return command === undefined ? undefined : withRedirects(cursor, command);
}

function compoundAt(cursor: Cursor): Compound | undefined {
  if (cursor.code() !== 0x28) return keywordCompound(cursor);
  if (cursor.code(1) !== 0x28) return readSubshell;
  const close = arithmeticEnd(cursor, cursor.at + 2);
  if (close < 0) return readSubshell;
  return (place, start) => readArithmeticCommand(place, start, close);
}

function keywordCompound(cursor: Cursor): Compound | undefined {
  const word = keywordAt(cursor);
  if (word === 'in' || (word === ']]' && cursor.dialect === 'bash')) {
    const range = cursor.range(cursor.at, cursor.at + 2);
    cursor.report('unexpected-token', `'${word}' cannot begin a command`, range);
  }
  return COMPOUNDS[word];
}

function withRedirects(cursor: Cursor, command: Command): Command {
  const redirects: Redirect[] = [];
  for (;;) {
    cursor.skipBlanks();
    if (redirectAt(cursor) === undefined) break;
    redirects.push(readRedirect(cursor));
  }
  const last = redirects.at(-1);
  if (last === undefined) return command;
  const range = { start: command.range.start, end: last.range.end };
  return { ...command, redirects: [...command.redirects, ...redirects], range };
}

interface Simple {
  readonly assignments: Assignment[];
  readonly redirects: Redirect[];
  readonly arguments: ShellWord[];
  name: ShellWord | undefined;
}

function readSimple(cursor: Cursor): Command | undefined {
  const start = cursor.at;
  const simple: Simple = { assignments: [], redirects: [], arguments: [], name: undefined };
  let end = start;
  for (;;) {
    cursor.skipBlanks();
    if (isFunction(cursor, simple)) return nameFunction(cursor, simple.name);
    if (!readElement(cursor, simple)) break;
    end = cursor.at;
  }
  if (end === start) return undefined;
  const { assignments, redirects, name } = simple;
  const range = cursor.range(start, end);
  return { kind: 'simple', assignments, redirects, name, arguments: simple.arguments, range };
}

/** Takes one assignment, redirection or word; false at the end of the command. */
function readElement(cursor: Cursor, simple: Simple): boolean {
  if (cursor.done || cursor.breakAt(cursor.at) > 0) return false;
  if (redirectAt(cursor) !== undefined) {
    simple.redirects.push(readRedirect(cursor));
    return true;
  }
  const code = cursor.code();
  if (code === 0x28 && simple.name !== undefined) return skipParenthesis(cursor);
  const process = (code === 0x3c || code === 0x3e) && cursor.code(1) === 0x28;
  if (isMeta(code) && !process) return false;
  if (simple.name === undefined) {
    const assignment = readAssignment(cursor);
    if (assignment !== undefined) simple.assignments.push(assignment);
    else simple.name = readSome(cursor);
    return true;
  }
  const declares = DECLARING.has(simple.name.value ?? '') && declaredAt(cursor);
  simple.arguments.push(declares ? readDeclared(cursor) : readSome(cursor));
  return true;
}

/** A word that has at least one character. */
function readSome(cursor: Cursor): ShellWord {
  const start = cursor.at;
  const word = readWord(cursor);
  if (cursor.at > start) return word;
  cursor.at++;
  return { ...word, text: cursor.slice(start), range: cursor.range(start) };
}

/** `(` among arguments is an error of the shell; it is passed over so that the rest is still read. */
function skipParenthesis(cursor: Cursor): boolean {
  const start = cursor.at;
  cursor.at++;
  cursor.report('unexpected-token', "'(' cannot stand here", cursor.range(start));
  return true;
}

function isFunction(
  cursor: Cursor,
  { name, assignments, redirects, arguments: words }: Simple,
): boolean {
  if (name === undefined || cursor.code() !== 0x28) return false;
  if (assignments.length + redirects.length + words.length > 0) return false;
  let distance = 1;
  while (cursor.code(distance) === 32 || cursor.code(distance) === 9) distance++;
  return cursor.code(distance) === 0x29;
}

/** `name () command`. */
function nameFunction(cursor: Cursor, name: ShellWord | undefined): Command | undefined {
  const start = cursor.at;
  const command = cursor.nested(start, () => readFunction(cursor, start, name));
  return command;
}
