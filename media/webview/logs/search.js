// Finds what the user searches for among the lines of a log, a slice at a time so that the view never stands still. Draws nothing.
import { t } from '../words.js';
import { matchesIn, searchOf } from './rows.js';

const SLICE_MS = 10;
/** More than these are not counted. */
const MOST = 100_000;

export class Search {
  /**
   * @param {() => {lines: unknown[], gone: number}} rows
   * @param {() => void} changed Called when there may be more that was found.
   */
  constructor(rows, changed) {
    this.rows = rows;
    this.changed = changed;
    this.waits = false;
    // Unlike timers, messages to oneself come at once, and after what the user did meanwhile.
    const turn = new MessageChannel();
    turn.port1.onmessage = () => {
      this.waits = false;
      this.go();
      this.changed();
    };
    this.wait = () => {
      this.waits = true;
      turn.port2.postMessage(undefined);
    };
    this.expression = undefined;
    /** A sentence about an expression that is none. */
    this.problem = '';
    this.clear();
  }

  /** `[line, start, end]`, lines counted from the very first that came. */
  clear() {
    this.found = [];
    this.looked = this.rows().gone;
    this.current = -1;
  }

  set(query, options) {
    const expression = searchOf(query, options);
    this.problem = typeof expression === 'string' ? expression : '';
    this.expression = typeof expression === 'string' ? undefined : expression;
    this.clear();
    this.go();
    this.changed();
  }

  /** Looks at the lines that came since. */
  go() {
    if (this.expression === undefined || this.waits) return;
    const end = performance.now() + SLICE_MS;
    const { lines, gone } = this.rows();
    this.forget(gone);
    while (this.looked < gone + lines.length && this.found.length < MOST) {
      for (const [start, to] of matchesIn(lines[this.looked - gone][2], this.expression))
        this.found.push([this.looked, start, to]);
      this.looked += 1;
      if (performance.now() > end) {
        this.wait();
        return;
      }
    }
  }

  /** All lines that there are were looked at. */
  get done() {
    return !this.waits;
  }

  /** Lines that were let go are found no more. */
  forget(gone) {
    if (this.looked < gone) this.looked = gone;
    const first = this.found.findIndex(([line]) => line >= gone);
    const lost =
      first < 0 ? ((this.found.at(-1)?.[0] ?? gone) < gone ? this.found.length : 0) : first;
    if (lost === 0) return;
    this.found.splice(0, lost);
    this.current = Math.max(-1, this.current - lost);
  }

  /** The next or previous match; from `line` on where there was none yet. */
  step(by, line) {
    if (this.found.length === 0) return undefined;
    if (this.current < 0) {
      const after = this.found.findIndex(([at]) => at >= line);
      this.current = by > 0 ? Math.max(0, after) : after > 0 ? after - 1 : this.found.length - 1;
    } else this.current = (this.current + by + this.found.length) % this.found.length;
    return this.found[this.current];
  }

  get text() {
    if (this.problem !== '') return this.problem;
    if (this.expression === undefined) return '';
    const number = this.found.length;
    if (number === 0) return t('No results');
    const all = number >= MOST ? `${MOST}+` : String(number);
    return this.current < 0 ? t('{0} found', all) : t('{0} of {1}', this.current + 1, all);
  }
}
