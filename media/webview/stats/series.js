// Numbers for the charts: rates out of counters, scales, and how values read. Pure; draws nothing.

/** What the charts show, milliseconds. */
export const WINDOW = 300_000;

/** Samples of one container, bounded; counters become rates per second. */
export class Series {
  constructor() {
    this.points = [];
    this.last = undefined;
  }

  push(sample) {
    const before = this.last;
    this.last = sample;
    const seconds = before === undefined ? 0 : (sample.at - before.at) / 1000;
    const rate = (key) =>
      // A container that was started again counts from zero.
      seconds <= 0 || sample[key] < before[key] ? 0 : (sample[key] - before[key]) / seconds;
    this.points.push({
      at: sample.at,
      cpu: sample.cpu,
      memory: sample.memory,
      limit: sample.memoryLimit,
      received: rate('received'),
      sent: rate('sent'),
      read: rate('read'),
      written: rate('written'),
      pids: sample.pids,
    });
    while (this.points.length > 0 && this.points[0].at < sample.at - WINDOW) this.points.shift();
  }

  get now() {
    return this.points.at(-1);
  }
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

export function bytesText(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}

export function rateText(bytes) {
  return `${bytesText(bytes)}/s`;
}

export function percentText(percent) {
  return `${percent >= 100 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

/** The next round number at or above a value: 1, 2 or 5 times a power of ten, for bytes a power of two. */
export function ceilingOf(value, { binary }) {
  if (binary) return 2 ** Math.ceil(Math.log2(Math.max(1024, value)));
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? 10 * power;
}
