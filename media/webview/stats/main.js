// The charts of what containers use: four canvases over five minutes and a table with the same as text. Redrawn when a sample comes.
import { t } from '../words.js';
import { bytesText, ceilingOf, percentText, rateText, Series, WINDOW } from './series.js';

const vscode = acquireVsCodeApi();
vscode.setState(JSON.parse(document.getElementById('state').textContent));

const COLORS = ['blue', 'orange', 'green', 'purple', 'red', 'yellow'];
const DASH = [4, 3];

const CHARTS = [
  { title: t('CPU'), lines: [['cpu', '']], text: percentText, binary: false },
  { title: t('Memory'), lines: [['memory', '']], text: bytesText, binary: true },
  {
    title: t('Network'),
    lines: [
      ['received', t('received')],
      ['sent', t('sent')],
    ],
    text: rateText,
    binary: true,
  },
  {
    title: t('Block I/O'),
    lines: [
      ['read', t('read')],
      ['written', t('written')],
    ],
    text: rateText,
    binary: true,
  },
];

const HEAD = [
  t('Container'),
  t('CPU'),
  t('Memory'),
  t('Limit'),
  t('Received'),
  t('Sent'),
  t('Read'),
  t('Written'),
  t('Processes'),
];

let containers = [];
const app = document.getElementById('app');
const grid = element('div', 'grid');
const table = element('table', '');
app.append(grid, table);

const charts = CHARTS.map((chart) => {
  const figure = element('figure', '');
  const caption = element('figcaption', '', chart.title);
  const value = element('span', 'value');
  caption.append(value);
  const canvas = element('canvas', '');
  canvas.setAttribute('role', 'img');
  figure.append(caption, canvas);
  grid.append(figure);
  return { ...chart, canvas, value };
});

window.addEventListener('message', ({ data }) => {
  if (data.type === 'reset') {
    containers = data.containers.map(({ id, name, samples }) => {
      const series = new Series();
      for (const sample of samples) series.push(sample);
      return { id, name, series, text: '' };
    });
    makeTable();
  }
  const container = containers.find(({ id }) => id === data.id);
  if (data.type === 'sample' && container !== undefined) {
    container.series.push(data.sample);
    container.text = '';
  }
  if (data.type === 'state' && container !== undefined) container.text = data.text;
  later();
});

let frame = 0;

function later() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    fillTable();
    for (const chart of charts) drawChart(chart);
  });
}

/** The colours that the theme has: in high contrast it has not all of them. */
function palette() {
  const style = getComputedStyle(document.documentElement);
  const found = COLORS.map((name) => style.getPropertyValue(`--vscode-charts-${name}`).trim());
  const own = [...new Set(found.filter((color) => color !== ''))];
  return own.length > 0 ? own : [style.getPropertyValue('--vscode-foreground')];
}

function colorOf(index) {
  const colors = palette();
  return colors[index % colors.length];
}

function makeTable() {
  table.replaceChildren();
  const caption = element('caption', 'hidden', t('What the containers use now'));
  const head = document.createElement('thead');
  const line = document.createElement('tr');
  for (const title of HEAD) {
    const cell = element('th', '', title);
    cell.scope = 'col';
    line.append(cell);
  }
  head.append(line);
  const body = document.createElement('tbody');
  containers.forEach((container) => {
    const row = document.createElement('tr');
    const name = element('th', 'name');
    name.scope = 'row';
    const swatch = element('span', 'swatch');
    container.swatch = swatch;
    name.append(swatch, document.createTextNode(container.name));
    container.cells = HEAD.slice(1).map(() => document.createElement('td'));
    row.append(name, ...container.cells);
    container.note = element('span', 'note');
    name.append(container.note);
    body.append(row);
  });
  table.append(caption, head, body);
}

function fillTable() {
  for (const [index, { series, text, cells, note, swatch }] of containers.entries()) {
    const { now } = series;
    swatch.style.background = colorOf(index);
    note.textContent = text === '' ? '' : ` ${text}`;
    const values =
      now === undefined || text !== ''
        ? cells.map(() => '–')
        : [
            percentText(now.cpu),
            bytesText(now.memory),
            now.limit === 0 ? t('none') : bytesText(now.limit),
            rateText(now.received),
            rateText(now.sent),
            rateText(now.read),
            rateText(now.written),
            String(now.pids),
          ];
    cells.forEach((cell, index) => {
      if (cell.textContent !== values[index]) cell.textContent = values[index];
    });
  }
}

function drawChart(chart) {
  const { canvas } = chart;
  const style = getComputedStyle(document.documentElement);
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  const points = containers.flatMap(({ series }) => series.points);
  const most = Math.max(0, ...points.flatMap((point) => chart.lines.map(([key]) => point[key])));
  const top = ceilingOf(most, chart);
  const end = Math.max(0, ...points.map(({ at }) => at));
  drawGrid(pen, { width, height, style, label: chart.text(top), half: chart.text(top / 2) });
  containers.forEach(({ series }, index) => {
    chart.lines.forEach(([key], line) => {
      pen.strokeStyle = colorOf(index);
      pen.lineWidth = 1.5;
      pen.setLineDash(line === 0 ? [] : DASH);
      pen.beginPath();
      series.points.forEach((point, at) => {
        const x = width - ((end - point.at) / WINDOW) * width;
        const y = height - 1 - (point[key] / top) * (height - 4);
        if (at === 0) pen.moveTo(x, y);
        else pen.lineTo(x, y);
      });
      pen.stroke();
    });
  });
  pen.setLineDash([]);
  describe(chart);
}

function drawGrid(pen, { width, height, style, label, half }) {
  const grey = style.getPropertyValue('--vscode-descriptionForeground') || 'grey';
  pen.strokeStyle = grey;
  pen.globalAlpha = 0.25;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const y = Math.round(part * (height - 1)) + 0.5;
    pen.moveTo(0, y);
    pen.lineTo(width, y);
  }
  for (let minute = 0; minute <= 5; minute += 1) {
    const x = Math.round((minute / 5) * (width - 1)) + 0.5;
    pen.moveTo(x, 0);
    pen.lineTo(x, height);
  }
  pen.stroke();
  pen.globalAlpha = 1;
  pen.fillStyle = grey;
  pen.font = `11px ${style.getPropertyValue('--vscode-font-family') || 'sans-serif'}`;
  pen.textBaseline = 'top';
  pen.fillText(label, 4, 3);
  pen.fillText(half, 4, height / 2 + 3);
}

const STROKES = ['—', '┄'];

/** The newest values in the caption where there is one container, all of them for those who hear the chart. */
function describe(chart) {
  const texts = containers.map(({ name, series }) => {
    const { now } = series;
    const values = chart.lines.map(([key, what]) =>
      `${now === undefined ? '–' : chart.text(now[key])} ${what}`.trim(),
    );
    return { name, values };
  });
  const [only] = texts;
  const several = chart.lines.length > 1;
  const shown =
    texts.length === 1 ? only.values : several ? chart.lines.map(([, what]) => what) : [];
  chart.value.textContent = shown
    .map((text, index) => (several ? `${STROKES[index]} ${text}` : text))
    .join('   ');
  const spoken = texts.map(({ name, values }) => `${name} ${values.join(', ')}`).join('; ');
  chart.canvas.setAttribute('aria-label', `${chart.title}: ${spoken}`);
}

function element(tag, className, text = '') {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== '') made.textContent = text;
  return made;
}

new ResizeObserver(later).observe(app);
new MutationObserver(later).observe(document.body, {
  attributes: true,
  attributeFilter: ['class'],
});
vscode.postMessage({ type: 'ready' });
