/** Reads lists, and/or lists and pipelines: how commands are joined. What a command is stands in commands.ts. */
import { readCommand } from './commands.ts';
import { type Cursor, isMeta } from './cursor.ts';
import { closerAt, keywordAt, takeKeyword } from './keywords.ts';
import type {
  Command,
  Logical,
  Operator,
  Pipeline,
  Sequence,
  SequenceItem,
  Terminator,
} from './syntax.ts';

/** Reads commands up to a closing word that something around waits for, or the end. */
export function readSequence(cursor: Cursor): Sequence {
  const items: SequenceItem[] = [];
  cursor.skipLines();
  const start = cursor.at;
  let end = start;
  while (!cursor.done) {
    const closer = closerAt(cursor);
    if (closer !== '') {
      if (cursor.expects(closer)) break;
      skipUnexpected(cursor, closer);
    } else {
      const node = readLogical(cursor);
      if (node !== undefined) {
        end = cursor.at;
        const terminator = readTerminator(cursor);
        items.push({ node, terminator });
        if (terminator === undefined) refuseNeighbour(cursor);
      }
    }
    cursor.skipLines();
  }
  return { kind: 'sequence', items, range: sequenceRange(cursor, items, { start, end }) };
}

function sequenceRange(
  cursor: Cursor,
  items: readonly SequenceItem[],
  place: { start: number; end: number },
): Sequence['range'] {
  const first = items[0]?.node.range;
  const last = items.at(-1)?.node.range;
  if (first === undefined || last === undefined) return cursor.range(place.start, place.start);
  return { start: first.start, end: last.end };
}

/** Reports what stands directly behind a command that has ended: `if …; fi b`, `(a) b`, `a= (b)`. */
function refuseNeighbour(cursor: Cursor): void {
  if (cursor.done || closerAt(cursor) !== '' || isStray(cursor)) return;
  const { at, text, end } = cursor;
  let to = at + 1;
  if (!isMeta(cursor.code())) while (to < end && to < at + 40 && !isMeta(text.charCodeAt(to))) to++;
  const token = text.slice(at, to);
  const message = `'${token}' cannot stand behind the end of a command`;
  cursor.report('unexpected-token', message, cursor.range(at, to));
}

function skipUnexpected(cursor: Cursor, token: string): void {
  const start = cursor.at;
  cursor.at += Math.max(1, token.length);
  cursor.report('unexpected-token', `'${token}' closes nothing here`, cursor.range(start));
}

function readTerminator(cursor: Cursor): Terminator | undefined {
  cursor.skipBlanks();
  const start = cursor.at;
  if (cursor.breakAt(start) > 0) {
    cursor.takeBreak();
    return 'newline';
  }
  const code = cursor.code();
  if (code !== 0x3b && code !== 0x26) return undefined;
  if (code === 0x3b && closerAt(cursor) !== '') return undefined;
  cursor.at++;
  cursor.mark('operator', start);
  return code === 0x3b ? ';' : '&';
}

/** `a && b || c`. Undefined only where nothing could be read; then at least one character was passed. */
function readLogical(cursor: Cursor): Logical | Pipeline | Command | undefined {
  const first = readPipeline(cursor);
  if (first === undefined) return undefined;
  const parts = [first];
  const operators: Operator[] = [];
  for (;;) {
    const operator = takeOperator(cursor, ['&&', '||']);
    if (operator === undefined) break;
    cursor.skipLines();
    const next = readOperand(cursor, operator, readPipeline);
    if (next === undefined) break;
    operators.push(operator);
    parts.push(next);
  }
  const last = parts.at(-1) ?? first;
  if (parts.length === 1) return first;
  return {
    kind: 'logical',
    parts,
    operators,
    range: { start: first.range.start, end: last.range.end },
  };
}

/** What stands behind an operator; its absence is reported there. */
function readOperand<T>(
  cursor: Cursor,
  operator: Operator,
  read: (cursor: Cursor) => T | undefined,
): T | undefined {
  const stops = cursor.done || closerAt(cursor) !== '' || isStray(cursor);
  const found = stops ? undefined : read(cursor);
  if (found !== undefined) return found;
  const message = `there is no command behind '${operator.text}'`;
  cursor.report('missing-command', message, operator.range);
  return undefined;
}

function takeOperator(cursor: Cursor, operators: readonly string[]): Operator | undefined {
  cursor.skipBlanks();
  const code = cursor.code();
  if (code !== 0x26 && code !== 0x7c) return undefined;
  const text = operators.find((operator) => cursor.startsWith(operator));
  if (text === undefined) return undefined;
  const start = cursor.at;
  cursor.at += text.length;
  return { text, range: cursor.mark('operator', start) };
}

/** An operator where a command should stand. */
function isStray(cursor: Cursor): boolean {
  const code = cursor.code();
  return code === 0x7c || code === 0x3b || (code === 0x26 && cursor.code(1) !== 0x3e);
}

function readPipeline(cursor: Cursor): Pipeline | Command | undefined {
  const start = cursor.at;
  if (isStray(cursor)) {
    skipUnexpected(cursor, straySymbol(cursor));
    return undefined;
  }
  const prefix = readPrefixes(cursor);
  const first = readCommand(cursor);
  if (first === undefined) {
    if (cursor.at === start) skipUnexpected(cursor, cursor.text[start] ?? '');
    else if (prefix.negated && cursor.dialect === 'sh')
      cursor.report(
        'missing-command',
        "there is no command behind '!'",
        cursor.range(start, start + 1),
      );
    return undefined;
  }
  const commands = [first];
  const operators: Operator[] = [];
  while (!isLogicalOr(cursor)) {
    const operator = takeOperator(cursor, ['|&', '|']);
    if (operator === undefined) break;
    cursor.skipLines();
    refuseNegation(cursor);
    const next = readOperand(cursor, operator, readCommand);
    if (next === undefined) break;
    operators.push(operator);
    commands.push(next);
  }
  const bare = commands.length === 1 && !prefix.negated && !prefix.timed;
  if (bare) return first;
  const begins = prefix.any ? cursor.range(start, start + 1).start : first.range.start;
  const range = { start: begins, end: (commands.at(-1) ?? first).range.end };
  const { negated, timed } = prefix;
  return { kind: 'pipeline', negated, timed, commands, operators, range };
}

/** `a | ! b`: only a whole pipeline is negated. */
function refuseNegation(cursor: Cursor): void {
  const start = cursor.at;
  if (cursor.dialect === 'zsh' || keywordAt(cursor) !== '!') return;
  const message = "'!' stands before a whole pipeline only";
  cursor.report('unexpected-token', message, cursor.range(start, start + 1));
}

function straySymbol(cursor: Cursor): string {
  return (
    ['&&', '||', '|&'].find((symbol) => cursor.startsWith(symbol)) ?? cursor.text[cursor.at] ?? ''
  );
}

function isLogicalOr(cursor: Cursor): boolean {
  cursor.skipBlanks();
  return cursor.startsWith('||');
}

/** `!`, `time` and `coproc` before a pipeline. */
function readPrefixes(cursor: Cursor): { negated: boolean; timed: boolean; any: boolean } {
  let negated = false;
  let timed = false;
  let any = false;
  const sh = cursor.dialect === 'sh';
  for (;;) {
    const start = cursor.at;
    if (takeKeyword(cursor, '!')) {
      if (negated && sh)
        cursor.report('unexpected-token', "sh knows no second '!'", cursor.range(start));
      negated = !negated;
    } else if (!sh && takeKeyword(cursor, 'time')) timed = true;
    else if (!sh && takeKeyword(cursor, 'coproc')) takeCoprocessName(cursor, start);
    else return { negated, timed, any };
    any = true;
    cursor.skipBlanks();
    if (timed && cursor.startsWith('-p') && isMeta(cursor.code(2))) cursor.at += 2;
    cursor.skipBlanks();
  }
}

const COPROCESS_NAME =
  /[ \t]+([A-Za-z_]\w{0,99})[ \t]+(?=[({]|(?:if|for|while|until|case|select|\[\[)[ \t])/y;

/** A coprocess has a name only before a compound command. */
function takeCoprocessName(cursor: Cursor, start: number): void {
  COPROCESS_NAME.lastIndex = cursor.at;
  const name = COPROCESS_NAME.exec(cursor.text)?.[1];
  cursor.skipBlanks();
  if (name !== undefined) {
    cursor.at += name.length;
    cursor.mark('keyword', cursor.at - name.length);
  }
  if (cursor.done || cursor.breakAt(cursor.at) > 0)
    cursor.report(
      'missing-command',
      "there is no command behind 'coproc'",
      cursor.range(start, start + 6),
    );
}
