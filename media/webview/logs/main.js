// The log view: a screenful of rows out of many, a search, and a few switches. All that it shows comes in messages; it keeps what the window needs to make it again.
import { drawRow, timeText } from './draw.js';
import { t } from '../words.js';
import { Rows } from './rows.js';
import { Search } from './search.js';

const vscode = acquireVsCodeApi();
const target = JSON.parse(document.getElementById('state').textContent);
const kept = vscode.getState() ?? {};
const view = { time: false, wrap: true, follow: true, ...kept, ...target };
delete view.query;

/** Rows drawn above and below what is seen. */
const OVERSCAN = 20;
/** Columns of the time and the room after it. */
const TIME_CELLS = 25;

let rows = new Rows(200_000);
const search = new Search(() => rows, found);
/** The search was given anew and its first match is still to be shown. */
let wanted = false;

const app = document.getElementById('app');
const bar = element('div', { className: 'bar', role: 'toolbar', 'aria-label': t('Log') });
const input = element('input', {
  type: 'text',
  placeholder: t('Search'),
  'aria-label': t('Search the log'),
  spellcheck: 'false',
});
const matchCase = toggle('Aa', 'Match Case', () => find());
const regex = toggle('.*', 'Use Regular Expression', () => find());
const count = element('span', { className: 'count', role: 'status' });
const previous = button('↑', 'Previous Match (Shift+Enter)', () => step(-1));
const next = button('↓', 'Next Match (Enter)', () => step(1));
const searchBox = element('div', { className: 'search', role: 'search' });
searchBox.append(input, matchCase, regex, count, previous, next);
const follow = toggle('Follow', 'Scroll to New Lines', () => setFollow(pressed(follow)));
const time = toggle('Time', 'Show Timestamps (UTC)', () => change({ time: pressed(time) }));
const wrap = toggle('Wrap', 'Wrap Long Lines', () => change({ wrap: pressed(wrap) }));
const actions = element('div', { className: 'actions' });
actions.append(
  follow,
  time,
  wrap,
  button('Clear', 'Clear the View; the Container Keeps Its Log', clear),
  button('Copy', 'Copy the Selection, or All Lines', copy),
  button('Save…', 'Save All Lines to a File', () =>
    vscode.postMessage({ type: 'save', text: wholeText() }),
  ),
);
bar.append(searchBox, actions);
const scroller = element('div', {
  className: 'scroller',
  tabIndex: 0,
  role: 'log',
  'aria-live': 'off',
  'aria-label': t('Log of {0}', view.name),
});
const space = element('div', { className: 'space' });
const screen = element('div', { className: 'screen' });
space.append(screen);
scroller.append(space);
const status = element('div', { className: 'status', role: 'status' });
const stateText = element('span', { className: 'state' });
const amount = element('span', { className: 'amount' });
status.append(stateText, amount);
app.append(bar, scroller, status);

const ruler = element('span', { className: 'ruler' });
ruler.textContent = 'M'.repeat(100);
app.append(ruler);
let cell = { width: 8, height: 18 };

let frame = 0;
/** Batches of lines that were not yet answered. */
let owed = 0;
let all = false;

function later() {
  frame ||= requestAnimationFrame(draw);
}

function measure() {
  const box = ruler.getBoundingClientRect();
  cell = { width: box.width / 100 || 8, height: Math.max(12, Math.round(box.height * 1.15)) };
  app.style.setProperty('--row', `${cell.height}px`);
  const gutter = view.time ? TIME_CELLS : 0;
  const width = Math.max(20, Math.floor((scroller.clientWidth - 16) / cell.width) - gutter);
  const top = anchor();
  rows.wrap(view.wrap ? width : 0);
  space.style.width = view.wrap ? '100%' : `${(rows.widest + gutter + 2) * cell.width}px`;
  if (!view.follow)
    scroller.scrollTop =
      rows.rowOf(Math.min(top, Math.max(0, rows.lines.length - 1))) * cell.height || 0;
  later();
}

/** The line at the top of what is seen. */
function anchor() {
  if (rows.lines.length === 0) return 0;
  return rows.at(Math.min(rows.count - 1, Math.floor(scroller.scrollTop / cell.height))).index;
}

let lastTop = 0;

function draw() {
  frame = 0;
  search.go();
  space.style.height = `${rows.count * cell.height}px`;
  if (!view.wrap)
    space.style.width = `${(rows.widest + (view.time ? TIME_CELLS : 0) + 2) * cell.width}px`;
  if (view.follow) {
    scroller.scrollTop = rows.count * cell.height;
    lastTop = scroller.scrollTop;
  }
  const first = Math.max(0, Math.floor(scroller.scrollTop / cell.height) - OVERSCAN);
  const last = Math.min(
    rows.count,
    Math.ceil((scroller.scrollTop + scroller.clientHeight) / cell.height) + OVERSCAN,
  );
  if (!selecting()) {
    const current = search.found[search.current];
    const drawn = [];
    for (let row = first; row < last; row += 1) {
      const { index, part } = rows.at(row);
      const [from, to] = rows.range(index, part);
      const mark =
        current !== undefined && current[0] - rows.gone === index ? current[1] : undefined;
      drawn.push(
        drawRow({
          line: rows.lines[index],
          from,
          to,
          first: part === 0,
          time: view.time,
          expression: search.expression,
          current: mark,
        }),
      );
    }
    screen.style.transform = `translateY(${first * cell.height}px)`;
    screen.replaceChildren(...drawn);
  }
  showCount();
  const cut =
    rows.gone > cleared
      ? ` (${t('older lines are left out: {0} are kept', rows.limit.toLocaleString())})`
      : '';
  amount.textContent = t('{0} lines', rows.lines.length.toLocaleString()) + cut;
  for (; owed > 0; owed -= 1) vscode.postMessage({ type: 'more' });
}

/** Rows are drawn with their matches already: only their number is another one. */
function found() {
  if (wanted && search.found.length > 0 && (search.done || isPast(search.found.at(-1)))) {
    wanted = false;
    step(1);
  } else showCount();
  if (search.done) wanted = false;
}

/** Whether a match lies where the next one is looked for. */
function isPast([line]) {
  return line >= rows.gone + anchor();
}

function showCount() {
  if (count.textContent !== search.text) count.textContent = search.text;
  count.classList.toggle('problem', search.problem !== '');
  previous.disabled = next.disabled = search.found.length === 0;
}

/** While text is selected in the rows they stay: else each new line would take the selection away. */
function selecting() {
  const selection = document.getSelection();
  return (
    selection !== null &&
    !selection.isCollapsed &&
    screen.contains(selection.anchorNode) &&
    !view.follow
  );
}

let cleared = 0;

window.addEventListener('message', ({ data }) => {
  if (data.type === 'reset') {
    rows = new Rows(data.limit);
    cleared = 0;
    owed = 0;
    search.clear();
    measure();
  } else if (data.type === 'lines') {
    const went = rows.push(data.lines);
    if (went > 0 && !view.follow)
      scroller.scrollTop = Math.max(0, scroller.scrollTop - went * cell.height);
    owed += 1;
    // A hidden view draws no frames, but its lines must not stop.
    if (document.hidden) setTimeout(draw, 50);
    later();
  } else if (data.type === 'state') {
    stateText.textContent = data.text;
    status.classList.toggle('live', data.live);
  }
});

scroller.addEventListener('scroll', () => {
  const bottom = scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop < cell.height;
  if (bottom !== view.follow && (bottom || scroller.scrollTop < lastTop - 1)) setFollow(bottom);
  lastTop = scroller.scrollTop;
  later();
});

new ResizeObserver(measure).observe(scroller);
document.fonts.ready.then(measure);

function setFollow(on) {
  view.follow = on;
  change({ follow: on });
}

function change(what) {
  Object.assign(view, what);
  press(follow, view.follow);
  press(time, view.time);
  press(wrap, view.wrap);
  app.classList.toggle('wrapped', view.wrap);
  vscode.setState(view);
  if ('time' in what || 'wrap' in what) measure();
  later();
}

function clear() {
  rows.clear();
  cleared = rows.gone;
  search.clear();
  document.getSelection()?.removeAllRanges();
  later();
}

function lineText([, stamp, text]) {
  return view.time && stamp !== '' ? `${timeText(stamp)}  ${text}` : text;
}

function wholeText() {
  return rows.lines.map((line) => `${lineText(line)}\n`).join('');
}

/** Rows of one line are one line again. */
function copy() {
  const selected = document.getSelection()?.toString() ?? '';
  vscode.postMessage({ type: 'copy', text: selected === '' || all ? wholeText() : selected });
}

let typing;
input.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(find, 120);
});

function find() {
  wanted = input.value !== '';
  search.set(input.value, { regex: pressed(regex), matchCase: pressed(matchCase) });
  later();
}

function step(by) {
  if (typing !== undefined) {
    clearTimeout(typing);
    typing = undefined;
  }
  const found = search.step(by, rows.gone + anchor());
  if (found === undefined) return;
  const [line, start] = found;
  const row = rows.rowOf(line - rows.gone) + partOf(line - rows.gone, start);
  setFollow(false);
  const top = row * cell.height;
  if (
    top < scroller.scrollTop ||
    top > scroller.scrollTop + scroller.clientHeight - cell.height * 2
  )
    scroller.scrollTop = Math.max(0, top - scroller.clientHeight / 2);
  if (!view.wrap) scroller.scrollLeft = Math.max(0, start * cell.width - scroller.clientWidth / 2);
  lastTop = scroller.scrollTop;
  later();
}

/** Which row of a wrapped line holds a place in its text. */
function partOf(index, place) {
  let part = 0;
  while (
    view.wrap &&
    rows.rowOf(index) + part + 1 <
      (index + 1 < rows.lines.length ? rows.rowOf(index + 1) : rows.count)
  ) {
    if (rows.range(index, part)[1] > place) break;
    part += 1;
  }
  return part;
}

input.addEventListener('keydown', (event) => {
  if (event.key === 'Enter') {
    if (typing !== undefined) find();
    else step(event.shiftKey ? -1 : 1);
    event.preventDefault();
  } else if (event.key === 'Escape') {
    input.value = '';
    find();
    scroller.focus();
  }
});

window.addEventListener('keydown', (event) => {
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key === 'f') {
    input.focus();
    input.select();
  } else if (event.key === 'F3') step(event.shiftKey ? -1 : 1);
  else if (command && event.key === 'a' && document.activeElement !== input) {
    document.getSelection()?.selectAllChildren(screen);
    all = true;
  } else if (command && event.key === 'c' && all) copy();
  else if (event.key === 'End' && document.activeElement === scroller) setFollow(true);
  else return;
  event.preventDefault();
  event.stopPropagation();
});

scroller.addEventListener('mousedown', () => {
  all = false;
});

function element(tag, properties) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  return made;
}

function button(text, label, run) {
  const made = element('button', {
    type: 'button',
    textContent: t(text),
    title: t(label),
    'aria-label': t(label),
  });
  made.addEventListener('click', run);
  return made;
}

function toggle(text, label, run) {
  const made = button(text, label, () => {
    press(made, !pressed(made));
    run();
  });
  press(made, false);
  return made;
}

function pressed(made) {
  return made.getAttribute('aria-pressed') === 'true';
}

function press(made, on) {
  made.setAttribute('aria-pressed', String(on));
}

change({});
measure();
vscode.postMessage({ type: 'ready' });
