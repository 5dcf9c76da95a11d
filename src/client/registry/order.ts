/** The order in which people look for a tag: `latest`, then versions from the newest, then the other names. Pure. */

/** A new list. */
export function sortTags(tags: readonly string[]): string[] {
  return tags
    .map((tag) => ({ tag, key: keyOf(tag) }))
    .sort((a, b) => compare(a.key, b.key) || (a.tag < b.tag ? -1 : 1))
    .map(({ tag }) => tag);
}

interface Key {
  /** 0 `latest`, 1 a version, 2 a version that goes before a release or has a variant, 3 a name. */
  readonly rank: number;
  readonly numbers: readonly number[];
}

function keyOf(tag: string): Key {
  if (tag === 'latest') return { rank: 0, numbers: [] };
  const version = /^v?(\d{1,9}(?:\.\d{1,9}){0,4})(?![\da-f]*[a-f][\da-f]{6})(.*)$/i.exec(tag);
  if (version?.[1] === undefined) return { rank: 3, numbers: [] };
  const numbers = version[1].split('.').map(Number);
  return { rank: version[2] === '' ? 1 : 2, numbers };
}

function compare(a: Key, b: Key): number {
  const versions = a.rank === 1 || a.rank === 2;
  if (!versions || (b.rank !== 1 && b.rank !== 2)) return a.rank - b.rank;
  for (let index = 0; index < Math.max(a.numbers.length, b.numbers.length); index++) {
    const difference = (b.numbers[index] ?? Infinity) - (a.numbers[index] ?? Infinity);
    // `24` stands for the newest of its line, so it goes before `24.1`; equal infinities give NaN.
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return a.rank - b.rank;
}
