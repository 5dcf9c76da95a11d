// The lines of a log as rows of a screen: bounded, and wrapped at a width where that is asked for. Pure; draws nothing.

/** How much is let go at once when the bound is reached: letting go of each line by itself would move all the others. */
const SLACK = 0.05;

export class Rows {
  /** @param {number} limit Lines that are kept at most. */
  constructor(limit) {
    this.limit = limit;
    /** Lines that were let go from the start. */
    this.gone = 0;
    this.lines = [];
    /** The cells of each line: to count them again at each change of the width would take too long. */
    this.cells = [];
    /** Columns to wrap at; 0: not at all. */
    this.columns = 0;
    /** With wrapping: the first row of each line, one more at the end; counted from `base`. */
    this.starts = [0];
    this.base = 0;
    /** Cells of the widest line. */
    this.widest = 0;
  }

  /** Rows of all lines. */
  get count() {
    return this.columns === 0 ? this.lines.length : this.starts[this.starts.length - 1] - this.base;
  }

  /** Gives the rows that went at the start. */
  push(lines) {
    for (const line of lines) {
      this.lines.push(line);
      const cells = cellsOf(line[2]);
      this.cells.push(cells);
      if (cells > this.widest) this.widest = cells;
      if (this.columns > 0)
        this.starts.push(
          this.starts[this.starts.length - 1] + rowsFor(line[2], cells, this.columns),
        );
    }
    return this.lines.length > this.limit * (1 + SLACK)
      ? this.shift(this.lines.length - this.limit)
      : 0;
  }

  clear() {
    this.gone += this.lines.length;
    this.lines = [];
    this.cells = [];
    this.starts = [0];
    this.base = 0;
    this.widest = 0;
  }

  /** Wraps at another width; 0: not at all. */
  wrap(columns) {
    if (columns === this.columns) return;
    this.columns = columns;
    this.base = 0;
    this.starts = [0];
    if (columns === 0) return;
    let row = 0;
    this.cells.forEach((cells, index) => {
      row += cells <= columns ? 1 : rowsFor(this.lines[index][2], cells, columns);
      this.starts.push(row);
    });
  }

  /** The row in which a line begins. */
  rowOf(index) {
    return this.columns === 0 ? index : this.starts[index] - this.base;
  }

  /** The line that a row belongs to, and which of its rows it is. */
  at(row) {
    if (this.columns === 0) return { index: row, part: 0 };
    const wanted = row + this.base;
    let low = 0;
    let high = this.lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= wanted) low = middle;
      else high = middle - 1;
    }
    return { index: low, part: wanted - this.starts[low] };
  }

  /** From where to where in a line's text a row reaches. */
  range(index, part) {
    const text = this.lines[index][2];
    if (this.columns === 0) return [0, text.length];
    if (isNarrow(text))
      return [part * this.columns, Math.min(text.length, (part + 1) * this.columns)];
    const cuts = cutsOf(text, this.columns);
    return [cuts[part], cuts[part + 1] ?? text.length];
  }

  shift(number) {
    const rows = this.columns === 0 ? number : this.starts[number] - this.base;
    this.lines.splice(0, number);
    this.cells.splice(0, number);
    this.gone += number;
    if (this.columns > 0) {
      this.starts.splice(0, number);
      this.base = this.starts[0];
    }
    return rows;
  }
}

function rowsFor(text, cells, columns) {
  if (cells <= columns) return 1;
  return isNarrow(text) ? Math.ceil(cells / columns) : cutsOf(text, columns).length;
}

/** Where the rows of a line begin; no row cuts a character in two. */
function cutsOf(text, columns) {
  const cuts = [0];
  let used = 0;
  let at = 0;
  for (const character of text) {
    const width = widthOf(character.codePointAt(0));
    if (used + width > columns && used > 0) {
      cuts.push(at);
      used = 0;
    }
    used += width;
    at += character.length;
  }
  return cuts;
}

/** Every character takes one cell. */
function isNarrow(text) {
  return /^[\x20-\x7e\xa0-\u02ff\u0370-\u0482\u048a-\u058f\u2010-\u2027\u2030-\u205e\u2190-\u22ff\u2500-\u25ff]*$/.test(
    text,
  );
}

export function cellsOf(text) {
  if (isNarrow(text)) return text.length;
  let cells = 0;
  for (const character of text) cells += widthOf(character.codePointAt(0));
  return cells;
}

/** Cells of a character, by the ranges of Unicode's East Asian Width that are wide. */
function widthOf(code) {
  if (code < 0x300) return 1;
  if (code <= 0x36f || (code >= 0x200b && code <= 0x200f) || (code >= 0xfe00 && code <= 0xfe0f))
    return 0;
  const wide =
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd);
  return wide ? 2 : 1;
}

/** The expression that a search means, or a sentence about what is wrong with it; undefined for no search. */
export function searchOf(query, { regex, matchCase }) {
  if (query === '') return undefined;
  const flags = matchCase ? 'gu' : 'giu';
  try {
    return new RegExp(regex ? query : query.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), flags);
  } catch (error) {
    return String(error.message).replace(/^Invalid regular expression: /, '');
  }
}

/** Where an expression matches in a text; matches of nothing do not count. */
export function matchesIn(text, expression) {
  const found = [];
  expression.lastIndex = 0;
  for (let match = expression.exec(text); match !== null; match = expression.exec(text)) {
    if (match[0] === '') expression.lastIndex += 1;
    else found.push([match.index, match.index + match[0].length]);
    if (found.length >= 1000) break;
  }
  return found;
}
