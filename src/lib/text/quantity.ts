/** Reads durations and sizes as the frontend does (Go's `time.ParseDuration`, Docker's units). */

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of `1m30s`, `1.5h`, `-2ms`, `0`; undefined when it is no duration or too large for 64 bits. */
export function readDuration(text: string): number | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0;
  if (body === '' || body.length > 200) return undefined;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
  let total = 0;
  while (part.lastIndex < body.length) {
    const match = part.exec(body);
    if (match === null) return undefined;
    total += Number(match[1]) * (NANOSECONDS[match[2] ?? ''] ?? 0);
  }
  return total < 2 ** 63 ? sign * Math.round(total) : undefined;
}

/** Bytes of `64m`, `1.5GiB`, `100`; units count in 1024s; undefined when it is no size. */
export function readBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])i?)?b?$/i.exec(text);
  if (match === null || text.length > 100) return undefined;
  const power = 'kmgtp'.indexOf((match[2] ?? '-').toLowerCase()) + 1;
  const bytes = Math.floor(Number(match[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Go's `strconv.ParseBool`. */
export function readBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  return undefined;
}

/** A whole number below 2^32 in the base; undefined for anything else. */
export function readUnsigned(text: string, base: 8 | 10): number | undefined {
  const digits = base === 8 ? /^[0-7]{1,16}$/ : /^[0-9]{1,16}$/;
  if (!digits.test(text)) return undefined;
  const value = Number.parseInt(text, base);
  return value < 2 ** 32 ? value : undefined;
}
