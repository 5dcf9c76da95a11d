/** The API versions that are spoken, and their order. It decides nothing about single fields. */

export const API_VERSION = '1.51';
export const MIN_API_VERSION = '1.24';

/** Negative, zero or positive as `a` is older than, equal to or newer than `b` (`1.9` < `1.24`). */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = Number(left[at] ?? 0) - Number(right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The complaint about a client's version in dockerd's words; undefined when it is spoken here. */
export function versionProblem(version: string): string | undefined {
  if (compareVersions(version, MIN_API_VERSION) < 0) {
    return `client version ${version} is too old. Minimum supported API version is ${MIN_API_VERSION}, please upgrade your client to a newer version`;
  }
  if (compareVersions(version, API_VERSION) > 0) {
    return `client version ${version} is too new. Maximum supported API version is ${API_VERSION}`;
  }
  return undefined;
}
