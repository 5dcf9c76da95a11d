/** Sizes, times and durations in the docker command line's words. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** Bytes in decimal units with at most `digits` significant figures: `1.23GB`. */
export function size(bytes: number, digits = 3): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${Number(value.toPrecision(digits))}${UNITS[unit] ?? 'B'}`;
}

const STEPS: readonly [limit: number, unit: number, name: string][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [48 * 3600, 3600, 'hour'],
  [14 * 86_400, 86_400, 'day'],
  [60 * 86_400, 7 * 86_400, 'week'],
  [730 * 86_400, 30 * 86_400, 'month'],
  [Infinity, 365 * 86_400, 'year'],
];

/** Seconds in one word's precision: `3 minutes`, `About an hour`. */
export function duration(seconds: number): string {
  const whole = Math.trunc(Math.max(0, seconds));
  if (whole < 1) return 'Less than a second';
  if (whole >= 60 && whole < 120) return 'About a minute';
  if (Math.round(whole / 3600) === 1 && whole >= 3600) return 'About an hour';
  for (const [limit, unit, name] of STEPS) {
    if (whole >= limit) continue;
    const count = unit === 3600 ? Math.round(whole / unit) : Math.trunc(whole / unit);
    return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return `${whole} seconds`;
}

/** An instant as its distance from now. */
export function ago(seconds: number, nowSeconds: number): string {
  return `${duration(nowSeconds - seconds)} ago`;
}

/** The first twelve digits of an id or digest. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** A text cut to `length` characters, the last one an ellipsis. */
export function ellipsis(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
