/** Makes what rules may ask of base images out of what is known of them: nothing is known of those that it is not given. */
import type { ImageFacts } from '../rule.ts';

/** What matters of an image's configuration. */
export interface KnownImage {
  /** `NAME=value`. */
  readonly environment: readonly string[];
  /** '' for root. */
  readonly user: string;
  /** Empty where the image sets none. */
  readonly shell: readonly string[];
  /** `os/architecture[/variant]`; one that is there for several platforms has more. */
  readonly platforms: readonly string[];
}

/** Facts for one judging: each image is asked for once, however many stages are built on it. */
export function imageFacts(describe: (name: string) => KnownImage | undefined): ImageFacts {
  const known = new Map<string, KnownImage | undefined>();
  const find = (name: string): KnownImage | undefined => {
    if (!known.has(name)) known.set(name, describe(name));
    return known.get(name);
  };
  return {
    environment: (image) => find(image)?.environment.map((entry) => entry.replace(/=.*/s, '')),
    platform: (image) => {
      const platforms = find(image)?.platforms ?? [];
      return platforms.length === 1 ? platforms[0] : undefined;
    },
    user: (image) => find(image)?.user,
    shell: (image) => {
      const { shell, platforms = [] } = find(image) ?? {};
      const isWindows = platforms.length > 0 && platforms.every((each) => /^windows\b/.test(each));
      return shell?.length === 0 && isWindows ? WINDOWS : shell;
    },
  };
}

const WINDOWS: readonly string[] = ['cmd', '/S', '/C'];
