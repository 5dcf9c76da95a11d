/**
 * Reads the compound commands: if, loops, case, functions, groups and `((…))`.
 * A closing word that is missing is reported at the word that opened; what was read is kept.
 */
import type { Cursor } from './cursor.ts';
import { arithmeticEnd, readArithmetic } from './expansions.ts';
import { closerAt, keywordAt, needKeyword, takeKeyword } from './keywords.ts';
import type {
  ArithmeticPart,
  CaseItem,
  Command,
  ForCommand,
  FunctionCommand,
  IfBranch,
  Sequence,
  ShellWord,
} from './syntax.ts';
import { type Place, readWord } from './words.ts';

/** Reads a list within which the given words close something; it may be empty. */
function anyUntil(cursor: Cursor, closers: readonly string[]): Sequence {
  cursor.expect(closers);
  const list = cursor.grammar.sequence(cursor);
  cursor.unexpect(closers);
  return list;
}

/** As `anyUntil`, where every shell but zsh needs at least one command. */
function listUntil(cursor: Cursor, closers: readonly string[]): Sequence {
  const { at, findings, text, dialect } = cursor;
  const known = findings.problems.length;
  const list = anyUntil(cursor, closers);
  const empty = list.items.length === 0 && !cursor.done && dialect !== 'zsh';
  if (!empty || findings.problems.length > known) return list;
  const closer = closerAt(cursor);
  const range = cursor.range(cursor.at, cursor.at + closer.length);
  const before = /[^\s;]+$/.exec(text.slice(Math.max(0, at - 8), at))?.[0] ?? '';
  const place = before === '' ? `before '${closer}'` : `between '${before}' and '${closer}'`;
  cursor.report('missing-command', `there is no command ${place}`, range);
  return list;
}

interface Opening {
  readonly at: number;
  readonly word: string;
}

function takeOpening(cursor: Cursor): Opening {
  const at = cursor.at;
  const word = keywordAt(cursor);
  takeKeyword(cursor, word);
  return { at, word };
}

export function readIf(cursor: Cursor, start: number): Command {
  const opening = takeOpening(cursor);
  const branches: IfBranch[] = [];
  do {
    const condition = listUntil(cursor, ['then', 'elif', 'else', 'fi']);
    const closes = needKeyword(cursor, 'then', opening);
    const body = closes
      ? listUntil(cursor, ['elif', 'else', 'fi'])
      : { ...condition, items: [], range: cursor.range(cursor.at, cursor.at) };
    branches.push({ condition, body });
  } while (takeKeyword(cursor, 'elif'));
  const otherwise = takeKeyword(cursor, 'else') ? listUntil(cursor, ['fi']) : undefined;
  needKeyword(cursor, 'fi', opening);
  return { kind: 'if', branches, otherwise, redirects: [], range: cursor.range(start) };
}

export function readLoop(cursor: Cursor, start: number): Command {
  const kind = keywordAt(cursor) === 'until' ? 'until' : 'while';
  const opening = takeOpening(cursor);
  const condition = listUntil(cursor, ['do', 'done']);
  const body = readBody(cursor, opening);
  return { kind, condition, body, redirects: [], range: cursor.range(start) };
}

function readBody(cursor: Cursor, opening: Opening): Sequence {
  if (!needKeyword(cursor, 'do', opening)) {
    takeKeyword(cursor, 'done');
    return { kind: 'sequence', items: [], range: cursor.range(cursor.at, cursor.at) };
  }
  const body = listUntil(cursor, ['done']);
  needKeyword(cursor, 'done', opening);
  return body;
}

export function readFor(cursor: Cursor, start: number): ForCommand {
  const kind = keywordAt(cursor) === 'select' ? 'select' : 'for';
  const opening = takeOpening(cursor);
  cursor.skipBlanks();
  const header = readHeader(cursor);
  const variable = header === undefined ? readVariable(cursor, opening) : undefined;
  cursor.skipLines();
  const words = takeKeyword(cursor, 'in') ? readWords(cursor) : undefined;
  const separated = takeSeparator(cursor) || header !== undefined;
  cursor.skipLines();
  const braces = separated && cursor.dialect !== 'sh' && keywordAt(cursor) === '{';
  const body = braces ? readBraces(cursor) : readBody(cursor, opening);
  return { kind, variable, words, header, body, redirects: [], range: cursor.range(start) };
}

/** Takes the `;` behind the words of a loop; true when that or a line break stands before the cursor. */
function takeSeparator(cursor: Cursor): boolean {
  cursor.skipBlanks();
  if (cursor.code() === 0x3b && closerAt(cursor) === '') return takeSymbol(cursor, 0x3b);
  return (
    cursor.breakAt(cursor.at) > 0 ||
    /\n[ \t]*$/.test(cursor.text.slice(Math.max(0, cursor.at - 40), cursor.at))
  );
}

/** The name that a loop sets. */
function readVariable(cursor: Cursor, opening: Opening): ShellWord | undefined {
  const word = readNeeded(cursor, opening);
  // A dollar before the name has a message of its own among the rules.
  if (word !== undefined && !/^(\$|[A-Za-z_]\w*$)/.test(word.text))
    cursor.report(
      'unexpected-token',
      `a loop cannot set '${word.text}': that is no name`,
      word.range,
    );
  return word;
}

/** The `((…))` of an arithmetic for. */
function readHeader(cursor: Cursor): ArithmeticPart | undefined {
  if (!cursor.startsWith('((')) return undefined;
  const start = cursor.at;
  const close = arithmeticEnd(cursor, start + 2);
  if (close < 0) return undefined;
  cursor.at = start + 2;
  const header = readArithmetic(cursor, start, { close, form: 'loop' });
  if (header.tokens.filter(({ text }) => text === ';').length !== 2) {
    const message = "the brackets of 'for' hold three parts with ';' between them";
    cursor.report('unexpected-token', message, header.range);
  }
  return header;
}

function readNeeded(cursor: Cursor, opening: Opening): ShellWord | undefined {
  const word = readWord(cursor);
  if (word.text !== '') return word;
  const range = cursor.range(opening.at, opening.at + opening.word.length);
  cursor.report('missing-word', `there is no word behind '${opening.word}'`, range);
  return undefined;
}

/** Words up to the end of the line or an operator. */
function readWords(cursor: Cursor): ShellWord[] {
  const words: ShellWord[] = [];
  for (;;) {
    cursor.skipBlanks();
    const word = readWord(cursor);
    if (word.text === '') return words;
    words.push(word);
  }
}

export function readCase(cursor: Cursor, start: number): Command {
  const opening = takeOpening(cursor);
  cursor.skipBlanks();
  const subject = readNeeded(cursor, opening);
  needKeyword(cursor, 'in', opening);
  const items: CaseItem[] = [];
  cursor.expect(['esac']);
  for (;;) {
    cursor.skipLines();
    if (cursor.done || keywordAt(cursor) === 'esac') break;
    const before = cursor.at;
    const item = readCaseItem(cursor);
    if (item !== undefined) items.push(item);
    if (cursor.at === before) break;
  }
  cursor.unexpect(['esac']);
  needKeyword(cursor, 'esac', opening);
  return { kind: 'case', subject, items, redirects: [], range: cursor.range(start) };
}

const PATTERN: Place = { kind: 'pattern' };

/** `pattern | pattern) commands ;;`; undefined where no pattern stands. */
function readCaseItem(cursor: Cursor): CaseItem | undefined {
  const start = cursor.at;
  takeSymbol(cursor, 0x28);
  const patterns: ShellWord[] = [];
  do {
    cursor.skipBlanks();
    const word = readWord(cursor, PATTERN);
    if (word.text !== '') patterns.push(word);
    else if (cursor.code() === 0x7c || cursor.code() === 0x29) {
      const range = cursor.range(cursor.at, cursor.at + 1);
      cursor.report('missing-word', "there is no pattern of 'case' here", range);
    }
    cursor.skipBlanks();
  } while (takeSymbol(cursor, 0x7c));
  if (!takeSymbol(cursor, 0x29)) {
    const range = cursor.range(start, Math.min(start + 1, cursor.end));
    cursor.report('unexpected-token', "a pattern of 'case' ends with ')'", range);
    if (patterns.length === 0) return undefined;
  }
  const body = anyUntil(cursor, [';;', ';&', ';;&']);
  const closer = closerAt(cursor);
  const terminator = closer === ';;' || closer === ';&' || closer === ';;&' ? closer : undefined;
  if (terminator !== undefined) {
    cursor.at += terminator.length;
    cursor.mark('operator', cursor.at - terminator.length);
  }
  return { patterns, body, terminator, range: cursor.range(start) };
}

function takeSymbol(cursor: Cursor, code: number): boolean {
  if (cursor.code() !== code) return false;
  cursor.at++;
  cursor.mark('operator', cursor.at - 1);
  return true;
}

/** The `()` of a function; `function name ( … )` has a subshell for its body. */
function takeBrackets(cursor: Cursor): boolean {
  if (cursor.code() !== 0x28) return false;
  let distance = 1;
  while (cursor.code(distance) === 32 || cursor.code(distance) === 9) distance++;
  if (cursor.code(distance) !== 0x29) return false;
  takeSymbol(cursor, 0x28);
  cursor.skipBlanks();
  return takeSymbol(cursor, 0x29);
}

/** `function name [()] command`, or from the brackets of `name () command`. */
export function readFunction(cursor: Cursor, start: number, named?: ShellWord): FunctionCommand {
  const opening = named === undefined ? takeOpening(cursor) : { at: start, word: '(' };
  cursor.skipBlanks();
  const name = named ?? readNeeded(cursor, opening);
  if (cursor.dialect === 'sh' && name !== undefined && !/^[A-Za-z_]\w*$/.test(name.text)) {
    const message = 'the name of a function has letters, digits and _ only';
    cursor.report('unexpected-token', message, name.range);
  }
  cursor.skipBlanks();
  if (takeBrackets(cursor)) cursor.skipBlanks();
  cursor.skipLines();
  const stops = cursor.done || closerAt(cursor) !== '';
  const body = stops ? undefined : cursor.grammar.command(cursor);
  if (body === undefined) {
    const range = cursor.range(start, Math.min(start + 1, cursor.end));
    cursor.report('missing-command', 'this function has no body', range);
  } else if (cursor.dialect === 'bash' && (body.kind === 'simple' || body.kind === 'function')) {
    const message = "in bash, the body of a function is one of '{ … }', '( … )', if, for, …";
    cursor.report('unexpected-token', message, body.range);
  }
  const whole = cursor.range(start);
  const range = { start: Math.min(name?.range.start ?? whole.start, whole.start), end: whole.end };
  return { kind: 'function', name, body, redirects: [], range };
}

export function readGroup(cursor: Cursor, start: number): Command {
  const body = readBraces(cursor);
  return { kind: 'group', body, redirects: [], range: cursor.range(start) };
}

function readBraces(cursor: Cursor): Sequence {
  const opening = takeOpening(cursor);
  const body = listUntil(cursor, ['}']);
  needKeyword(cursor, '}', opening);
  return body;
}

export function readSubshell(cursor: Cursor, start: number): Command {
  takeSymbol(cursor, 0x28);
  const body = listUntil(cursor, [')']);
  cursor.skipLines();
  if (!takeSymbol(cursor, 0x29)) {
    cursor.report('missing-keyword', "this '(' has no ')'", cursor.range(start, start + 1));
  }
  return { kind: 'subshell', body, redirects: [], range: cursor.range(start) };
}

export function readArithmeticCommand(cursor: Cursor, start: number, close: number): Command {
  cursor.at = start + 2;
  const expression = readArithmetic(cursor, start, { close });
  return { kind: 'arithmetic-command', expression, redirects: [], range: cursor.range(start) };
}
