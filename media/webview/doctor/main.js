// The doctor's page: draws the report that it is sent, asks for a new one, hands texts over to be copied. Texts never become markup.
import { t } from '../words.js';

const editor = acquireVsCodeApi();
const app = document.getElementById('app');
const MARKS = {
  ok: ['✓', t('Fine')],
  warn: ['!', t('Warning')],
  fail: ['✗', t('Missing')],
};
const COPIED_MS = 1500;

let report = editor.getState()?.report;
let running = true;

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function copyButton(label, text) {
  const button = element('button', { type: 'button', textContent: label });
  button.addEventListener('click', () => {
    editor.postMessage({ type: 'copy', text });
    button.textContent = t('Copied');
    setTimeout(() => (button.textContent = label), COPIED_MS);
  });
  return button;
}

function findingItem({ level, message, remedy }) {
  const [mark, spoken] = MARKS[level] ?? MARKS.warn;
  const item = element(
    'li',
    { className: level in MARKS ? level : 'warn' },
    element('span', { className: 'mark', textContent: mark, ariaHidden: 'true' }),
    element(
      'span',
      { className: 'message' },
      element('span', { className: 'hidden', textContent: `${spoken}: ` }),
      message,
    ),
  );
  if (remedy !== null && remedy !== '') {
    const copy = copyButton(t('Copy'), remedy);
    copy.setAttribute('aria-label', t('Copy the remedy: {0}', message));
    item.append(
      element('div', { className: 'remedy' }, element('pre', { textContent: remedy }), copy),
    );
  }
  return item;
}

/** What a button is known by when the page is drawn anew. */
function nameOf(button) {
  return button?.id || button?.ariaLabel || button?.textContent;
}

function draw({ busy }) {
  const again = element('button', {
    type: 'button',
    className: 'primary',
    id: 'again',
    textContent: busy ? t('Checking…') : t('Check Again'),
    // Disabled it would lose the focus.
    ariaDisabled: String(busy),
  });
  again.addEventListener('click', () => {
    if (!busy) editor.postMessage({ type: 'examine' });
  });
  const actions = element('div', { className: 'actions' }, again);
  const status = element('p', { className: 'mode', role: 'status' });
  status.textContent = report === undefined ? t('Checking this machine…') : report.modeText;
  const parts = [element('h1', { textContent: t('Pinnace Doctor') }), status, actions];
  if (report !== undefined) {
    if (report.mode === 'none') status.classList.add('none');
    else if (!running) {
      const start = element('button', { type: 'button', textContent: t('Start Engine') });
      start.addEventListener('click', () => editor.postMessage({ type: 'start' }));
      actions.append(start);
    }
    actions.append(copyButton(t('Copy Report'), report.text));
    parts.push(element('ul', { ariaLabel: t('Findings') }, ...report.findings.map(findingItem)));
  }
  const focused = nameOf(document.activeElement);
  app.replaceChildren(...parts);
  [...app.querySelectorAll('button')].find((each) => nameOf(each) === focused)?.focus();
}

window.addEventListener('message', ({ data }) => {
  if (data.type === 'report') {
    report = data.report;
    running = data.running;
    editor.setState({ report });
  }
  draw({ busy: data.type === 'busy' });
});

draw({ busy: report === undefined });
editor.postMessage({ type: 'examine' });
