// The view of one build: its steps as sections that fold, live. It shows what it is told and asks for logs when they are opened.
import { t } from '../words.js';
import { Painter } from './ansi.js';

const vscode = acquireVsCodeApi();
const root = document.getElementById('app');
const saved = vscode.getState() ?? { opened: [], closed: [], key: '' };

/** Characters of a log that stay on the page. */
const LOG_LIMIT = 2_000_000;
const MARKS = {
  ran: '✓',
  cached: '✓',
  failed: '✗',
  running: '',
  pending: '○',
  cancelled: '⊘',
  skipped: '⊘',
};
const WORDS = {
  running: t('Building'),
  succeeded: t('Succeeded'),
  failed: t('Failed'),
  cancelled: t('Cancelled'),
};

let build;
let head;
let list;
const sections = new Map();

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function button(label, type, primary) {
  const element = make('button', primary ? 'primary' : '', label);
  element.type = 'button';
  element.addEventListener('click', () => vscode.postMessage({ type }));
  return element;
}

function remember(step, isOpen) {
  const without = (all) => all.filter((other) => other !== step);
  saved.opened = isOpen ? [...without(saved.opened), step] : without(saved.opened);
  saved.closed = isOpen ? without(saved.closed) : [...without(saved.closed), step];
  vscode.setState(saved);
}

function showBuild(next) {
  if (build?.key !== next.key || list === undefined || !list.isConnected) {
    if (saved.key !== next.key) Object.assign(saved, { key: next.key, opened: [], closed: [] });
    vscode.setState(saved);
    sections.clear();
    head = make('header');
    list = make('div', 'steps');
    list.setAttribute('role', 'list');
    list.setAttribute('aria-label', t('Steps'));
    root.replaceChildren(head, list);
    section({ index: -1, number: 0, text: t('Before the first step'), outcome: 'ran' }).hidden =
      true;
  }
  build = next;
  showHead();
  for (const step of build.steps) showStep(step);
}

function showHead() {
  const isRunning = build.status === 'running';
  const focused = document.activeElement?.textContent;
  const title = make('h1', '', build.title);
  const status = make('span', `status ${build.status}`, WORDS[build.status]);
  status.setAttribute('role', 'status');
  const top = make('div', 'top');
  top.append(title, status);
  const actions = make('div', 'actions');
  if (isRunning) actions.append(button(t('Cancel'), 'cancel', true));
  else if (build.repeatable) actions.append(button(t('Build Again'), 'rerun', true));
  actions.append(button(t('Copy Output'), 'copy'));
  if (build.hasPrevious && !isRunning)
    actions.append(button(t('Compare with Previous'), 'compare'));
  const facts = make('dl', 'facts');
  for (const [name, value] of build.facts)
    facts.append(make('dt', '', name), make('dd', '', value));
  head.replaceChildren(top, actions, facts);
  if (build.error !== '') {
    const error = make('p', 'error', build.error);
    error.setAttribute('role', 'alert');
    head.append(error);
  }
  for (const element of actions.children) if (element.textContent === focused) element.focus();
}

function section(step) {
  const element = make('details', 'step');
  element.setAttribute('role', 'listitem');
  const summary = make('summary');
  const log = make('pre', 'log');
  log.tabIndex = 0;
  log.setAttribute('aria-label', t('Output of {0}', step.text));
  element.append(summary, log);
  element.addEventListener('toggle', () => {
    const part = sections.get(step.index);
    if (part.byHand !== undefined && part.byHand !== element.open)
      remember(step.index, element.open);
    part.byHand = element.open;
    if (element.open && !part.asked) {
      part.asked = true;
      vscode.postMessage({ type: 'log', step: step.index });
    }
  });
  sections.set(step.index, {
    element,
    summary,
    log,
    painter: new Painter(),
    size: 0,
    asked: false,
    byHand: false,
    outcome: '',
  });
  list.append(element);
  return element;
}

function showStep(step) {
  if (!sections.has(step.index)) section(step);
  const part = sections.get(step.index);
  const { element, summary } = part;
  const mark = make('span', `mark ${step.outcome}`, MARKS[step.outcome] ?? '');
  mark.setAttribute('role', 'img');
  mark.setAttribute('aria-label', t(step.outcome));
  const text = make('code', 'text', step.text.replaceAll('\n', ' '));
  text.title = step.text;
  const number = make(
    'span',
    'number',
    `${step.number === 0 ? '·' : step.number}/${build.total || '?'}`,
  );
  const stage = make('span', 'stage', step.stage);
  const reason = make('span', 'reason', step.outcome === 'cached' ? t('cached') : step.reason);
  if (step.outcome === 'cached') reason.classList.add('cached');
  reason.title = step.reason;
  const cost = make('span', 'cost', [step.time, step.size].filter(Boolean).join(' · '));
  const line = make('a', 'line', t('line {0}', step.line));
  line.href = '#';
  line.title = t('Show in the Dockerfile');
  line.addEventListener('click', (event) => {
    event.preventDefault();
    vscode.postMessage({ type: 'goto', line: step.line });
  });
  summary.replaceChildren(mark, number, ...(step.stage ? [stage] : []), text, reason, cost, line);
  if (part.outcome !== step.outcome) {
    part.outcome = step.outcome;
    element.className = `step ${step.outcome}`;
    fold(step, part);
  }
}

/** What runs or failed is open, the rest as people left it. */
function fold(step, part) {
  const wants =
    step.outcome === 'running' || step.outcome === 'failed'
      ? !saved.closed.includes(step.index)
      : saved.opened.includes(step.index);
  part.byHand = wants;
  part.element.open = wants;
  if (wants && !part.asked) {
    part.asked = true;
    vscode.postMessage({ type: 'log', step: step.index });
  }
  if (step.outcome === 'failed') part.element.scrollIntoView({ block: 'nearest' });
}

function showLog({ step, text, whole }) {
  const part = sections.get(step);
  if (part === undefined) return;
  const follows = isAtEnd(part.log);
  if (whole) {
    part.asked = true;
    part.log.replaceChildren();
    part.painter.reset();
    part.size = 0;
  } else if (!part.asked) return; // It comes whole when the section is opened.
  if (step === -1) part.element.hidden = text === '' && part.size === 0;
  if (step === -1) part.summary.textContent = t('Before the first step');
  part.log.append(...part.painter.paint(text));
  part.size += text.length;
  while (part.size > LOG_LIMIT && part.log.firstChild !== part.log.lastChild) {
    part.size -= part.log.firstChild.textContent.length;
    part.log.firstChild.remove();
  }
  part.element.classList.toggle('silent', part.size === 0);
  if (follows) part.log.scrollTop = part.log.scrollHeight;
}

function isAtEnd(element) {
  return element.scrollHeight - element.scrollTop - element.clientHeight < 30;
}

function showComparison({ left, right, summary, rows }) {
  build = undefined;
  list = undefined;
  const title = make('h1', '', t('Comparison of two builds'));
  const top = make('div', 'top');
  top.append(title);
  const table = make('table', 'comparison');
  const headRow = make('tr');
  for (const text of [left, right, t('Difference')]) {
    const cell = make('th', '', text);
    cell.scope = 'col';
    headRow.append(cell);
  }
  const thead = make('thead');
  thead.append(headRow);
  const body = make('tbody');
  for (const row of rows) {
    const line = make('tr', row.kind);
    line.append(comparedCell(row.left, row.kind), comparedCell(row.right, row.kind));
    const words = {
      same: '',
      changed: t('changed'),
      added: t('added'),
      removed: t('removed'),
    }[row.kind];
    const text = [words, row.difference].filter(Boolean).join(': ');
    line.append(make('td', `difference${row.slower ? ' slower' : ''}`, text));
    body.append(line);
  }
  table.append(thead, body);
  root.replaceChildren(top, make('p', 'summary', summary), table);
}

function comparedCell(step, kind) {
  const cell = make('td', kind);
  if (step === undefined) {
    cell.append(make('span', 'none', '–'));
    return cell;
  }
  const mark = make('span', `mark ${step.outcome}`, MARKS[step.outcome] ?? '');
  const facts = [step.outcome === 'cached' ? t('cached') : step.time, step.size, step.reason];
  const code = make('code', 'text', step.text);
  cell.append(mark, code, make('div', 'cost', facts.filter(Boolean).join(' · ')));
  return cell;
}

function showProblem(message) {
  const problem = make('p', 'error', message);
  problem.setAttribute('role', 'alert');
  root.prepend(problem);
}

window.addEventListener('message', ({ data }) => {
  if (data.type === 'build') showBuild(data.build);
  else if (data.type === 'log') showLog(data);
  else if (data.type === 'comparison') showComparison(data.comparison);
  else if (data.type === 'problem') showProblem(data.message);
});
vscode.postMessage({ type: 'ready' });
