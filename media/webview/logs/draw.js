// Makes the element of one row: text, colours and search marks. Only through textContent and style properties: no text becomes markup.
import { matchesIn } from './rows.js';

const BOLD = 1;
const DIM = 2;
const ITALIC = 4;
const UNDERLINE = 8;
const INVERSE = 16;
const STRIKE = 32;
const TRUE_COLOR = 0x1000000;

const LEVELS = [0, 95, 135, 175, 215, 255];

/** `line`: [stream, time, text, spans]; `from` to `to`: the part of its text that this row shows. */
export function drawRow({ line, from, to, first, time, expression, current }) {
  const [stream, stamp, text, spans] = line;
  const row = document.createElement('div');
  row.className = stream === 1 ? 'row stderr' : stream === 2 ? 'row note' : 'row';
  if (time) {
    const gutter = document.createElement('span');
    gutter.className = 'time';
    gutter.textContent = first ? timeText(stamp) : '';
    row.append(gutter);
  }
  const marks = expression === undefined ? [] : matchesIn(text, expression);
  for (const piece of pieces(from, to, spans, marks)) row.append(drawPiece(text, piece, current));
  return row;
}

/** Parts between the borders of spans and marks. */
function pieces(from, to, spans, marks) {
  if (spans.length === 0 && marks.length === 0) return [{ from, to }];
  const cuts = new Set([from, to]);
  for (const [start, end] of [...spans, ...marks]) {
    if (start > from && start < to) cuts.add(start);
    if (end > from && end < to) cuts.add(end);
  }
  const borders = [...cuts].sort((one, other) => one - other);
  let nextSpan = 0;
  let nextMark = 0;
  return borders.slice(0, -1).map((start, index) => {
    while (nextSpan < spans.length && spans[nextSpan][1] <= start) nextSpan += 1;
    while (nextMark < marks.length && marks[nextMark][1] <= start) nextMark += 1;
    const span = spans[nextSpan];
    const mark = marks[nextMark];
    return {
      from: start,
      to: borders[index + 1],
      span: span !== undefined && span[0] <= start ? span : undefined,
      mark: mark !== undefined && mark[0] <= start ? mark : undefined,
    };
  });
}

function drawPiece(text, { from, to, span, mark }, current) {
  const content = text.slice(from, to);
  if (span === undefined && mark === undefined) return document.createTextNode(content);
  const element = document.createElement(mark === undefined ? 'span' : 'mark');
  element.textContent = content;
  if (mark !== undefined && current !== undefined && mark[0] === current)
    element.className = 'current';
  if (span !== undefined) style(element, span);
  return element;
}

function style(element, [, , fg, bg, flags]) {
  const inverse = (flags & INVERSE) !== 0;
  const ink = inverse
    ? bg < 0
      ? 'var(--background)'
      : colorText(bg)
    : fg < 0
      ? ''
      : colorText(fg);
  const ground = inverse
    ? fg < 0
      ? 'var(--foreground)'
      : colorText(fg)
    : bg < 0
      ? ''
      : colorText(bg);
  if (ink !== '') element.style.color = ink;
  if (ground !== '' && element.tagName !== 'MARK') element.style.backgroundColor = ground;
  if ((flags & BOLD) !== 0) element.style.fontWeight = 'bold';
  if ((flags & DIM) !== 0) element.style.opacity = '0.6';
  if ((flags & ITALIC) !== 0) element.style.fontStyle = 'italic';
  const lines = [
    (flags & UNDERLINE) !== 0 ? 'underline' : '',
    (flags & STRIKE) !== 0 ? 'line-through' : '',
  ];
  if (lines.join('') !== '') element.style.textDecoration = lines.join(' ').trim();
}

const NAMES = ['Black', 'Red', 'Green', 'Yellow', 'Blue', 'Magenta', 'Cyan', 'White'];

/** The editor's terminal colours for the first sixteen, xterm's cube and greys for the others. */
function colorText(color) {
  if (color >= TRUE_COLOR) return `#${(color - TRUE_COLOR).toString(16).padStart(6, '0')}`;
  if (color < 8) return `var(--vscode-terminal-ansi${NAMES[color]})`;
  if (color < 16) return `var(--vscode-terminal-ansiBright${NAMES[color - 8]})`;
  if (color >= 232) {
    const grey = 8 + (color - 232) * 10;
    return `rgb(${grey}, ${grey}, ${grey})`;
  }
  const cube = color - 16;
  const level = (value) => LEVELS[value % 6];
  return `rgb(${level(Math.floor(cube / 36))}, ${level(Math.floor(cube / 6))}, ${level(cube)})`;
}

/** `2026-11-21 05:03:59.123`, in the engine's UTC. */
export function timeText(stamp) {
  return stamp === '' ? '' : stamp.slice(0, 23).replace('T', ' ').replace(/Z$/, '').padEnd(23, '0');
}
