/** Turns the parser's places into the protocol's. Both count UTF-16 code units from zero. */
import type { Range } from 'vscode-languageserver/node';
import type { LineIndex, Range as Offsets, Span } from '../../src/lib/text/lines.ts';

export function protocolRange({ start, end }: Span): Range {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

export function rangeAt(lines: LineIndex, offsets: Offsets): Range {
  return protocolRange(lines.span(offsets));
}
