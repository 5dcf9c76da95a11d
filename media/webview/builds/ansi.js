// Coloured terminal text as elements: SGR colours only, everything else that a terminal would obey is left out.

const COLORS = ['Black', 'Red', 'Green', 'Yellow', 'Blue', 'Magenta', 'Cyan', 'White'];
const ESCAPES =
  /\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;

/** One log's style goes on from chunk to chunk. */
export class Painter {
  constructor() {
    this.reset();
  }

  reset() {
    this.color = '';
    this.bold = false;
    this.dim = false;
  }

  /** Text nodes and spans for a chunk. */
  paint(text) {
    const nodes = [];
    let from = 0;
    for (const match of text.matchAll(ESCAPES)) {
      this.push(nodes, text.slice(from, match.index));
      from = match.index + match[0].length;
      if (match[2] === 'm') this.obey(match[1]);
    }
    this.push(nodes, text.slice(from));
    return nodes;
  }

  push(nodes, text) {
    const clean = text
      .replaceAll(/[^\n]*\r(?=[^\n])/g, '')
      .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '');
    if (clean === '') return;
    if (this.color === '' && !this.bold && !this.dim) {
      nodes.push(document.createTextNode(clean));
      return;
    }
    const span = document.createElement('span');
    span.textContent = clean;
    if (this.color !== '') span.classList.add(`ansi-${this.color}`);
    if (this.bold) span.classList.add('ansi-bold');
    if (this.dim) span.classList.add('ansi-dim');
    nodes.push(span);
  }

  obey(parameters) {
    const codes = parameters === '' ? [0] : parameters.split(/[;:]/).map(Number);
    for (let at = 0; at < codes.length; at++) {
      const code = codes[at];
      if (code === 0) this.reset();
      else if (code === 1) this.bold = true;
      else if (code === 2) this.dim = true;
      else if (code === 22) this.bold = this.dim = false;
      else if (code === 39) this.color = '';
      else if (code >= 30 && code <= 37) this.color = COLORS[code - 30];
      else if (code >= 90 && code <= 97) this.color = `Bright${COLORS[code - 90]}`;
      else if (code === 38 || code === 48) at += codes[at + 1] === 5 ? 2 : 4;
    }
  }
}
