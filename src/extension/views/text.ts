/** Texts of rows: names made harmless, sizes, ages. Pure; every text of an engine goes through here before it is shown. */
import { sizeText } from '../../lib/text/amounts.ts';

/** Everything that would break a line or turn the writing direction, and half surrogate pairs. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const LONGEST = 500;

/** On one line, without control and direction characters, bounded. `null` and other kinds of values become ''. */
export function clean(text: unknown): string {
  if (typeof text !== 'string') return typeof text === 'number' ? String(text) : '';
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replace(UNSHOWABLE, '\u{fffd}');
}

/** Text inside markdown: nothing of it is read as markdown, HTML, an autolink or a theme icon. */
export function escapeMarkdown(text: unknown): string {
  return clean(text)
    .replace(/[\\`*_{}[\]()#+\-.!|~<>&$@:/"'=^%]/g, (found) => `&#${found.charCodeAt(0)};`)
    .replace(/^ +| +$/g, '');
}

/** A link that runs a command of ours. */
export function commandLink(label: string, command: string, ...args: readonly unknown[]): string {
  const query = encodeURIComponent(JSON.stringify(args)).replace(
    /[()']/g,
    (found) => `%${found.charCodeAt(0).toString(16)}`,
  );
  return `[${label}](command:${command}?${query})`;
}

/** As `sizeText`; '' when not known. */
export function size(bytes: unknown): string {
  return typeof bytes === 'number' && bytes >= 0 && bytes < Infinity ? sizeText(bytes) : '';
}

/** Upper bound (seconds), length of one, name: the words of `docker ps`. */
const SPANS = [
  [60, 1, 'second'],
  [60 * 60, 60, 'minute'],
  [48 * 3600, 3600, 'hour'],
  [14 * 86_400, 86_400, 'day'],
  [60 * 86_400, 7 * 86_400, 'week'],
  [730 * 86_400, 30 * 86_400, 'month'],
  [Infinity, 365 * 86_400, 'year'],
] as const;

/** `5 seconds`, `1 minute`, `3 hours`: how long a number of seconds is, rounded down. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 1) return 'less than a second';
  for (const [below, one, name] of SPANS) {
    if (whole >= below) continue;
    return plural(Math.floor(whole / one), name);
  }
  return '';
}

/** `1 tag`, `2 tags`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Sorts like people do (`web-2` before `web-10`) by plain comparison of code units. */
export function naturalKey(text: string): string {
  return text.toLowerCase().replace(/\d+/g, (digits) => {
    const bare = digits.replace(/^0+(?=\d)/, '');
    return `${String(Math.min(bare.length, 999)).padStart(3, '0')}${bare}`;
  });
}

/** -1, 0, 1 by code units: the same everywhere, and fast. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The words of a filter; a row is shown when its text has all of them. */
export function filterWords(filter: string): readonly string[] {
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
}

export function matches(words: readonly string[], text: string): boolean {
  return words.every((word) => text.includes(word));
}

/** `sha256:0123456789ab…` → `0123456789ab`. */
export function shortId(id: unknown): string {
  return clean(id)
    .replace(/^sha256:/, '')
    .slice(0, 12);
}
