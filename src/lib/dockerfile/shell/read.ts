/**
 * The shell reading's entry: text in, tree and problems out. It never throws and takes time in proportion to the text;
 * what is nested more than 100 levels deep is reported and left unread.
 */
import { readCommand } from './commands.ts';
import { Cursor, type Findings, type Grammar } from './cursor.ts';
import { readSequence } from './lists.ts';
import { readHeredocs } from './redirects.ts';
import type { Dialect, ShellScript } from './syntax.ts';
import { SourceText } from '../source.ts';
import { readWord } from './words.ts';

export type * from './syntax.ts';

const GRAMMAR: Grammar = {
  sequence: readSequence,
  command: readCommand,
  operand: (cursor, stop, quoting) =>
    readWord(cursor, { kind: 'operand', stop, quoted: quoting === 'quoted' }),
  heredocs: readHeredocs,
};

/** Reads a shell text. Ranges of the result count in the file that `source` maps to. */
export function readShell(source: SourceText, dialect: Dialect = 'sh'): ShellScript {
  const findings: Findings = { marks: [], problems: [], silent: false, depth: 0, work: 0 };
  const cursor = new Cursor(source, dialect, GRAMMAR, findings);
  if (source.text.length > LENGTH_LIMIT) refuse(cursor);
  const body = readSequence(cursor);
  if (cursor.waiting.length > 0) readHeredocs(cursor);
  const { marks, problems, work } = findings;
  const range = source.range(0, source.text.length);
  return { kind: 'script', text: source.text, range, body, marks, problems, work };
}

/** Longer texts are generated, not written: reading them would only cost an editor its breath. */
const LENGTH_LIMIT = 1_000_000;

function refuse(cursor: Cursor): void {
  const message = 'this command line is too long (above 1,000,000 characters) to be read';
  cursor.report('too-long', message, cursor.range(0, 1));
  cursor.at = cursor.end;
}

/** Reads a text that stands in no file; offsets count from its own start. */
export function readShellText(text: string, dialect: Dialect = 'sh'): ShellScript {
  return readShell(new SourceText(text, [{ index: 0, offset: 0 }]), dialect);
}
