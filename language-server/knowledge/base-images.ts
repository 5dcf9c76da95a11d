/** What the linter is told of base images: those that a local engine has, as far as they are known already. */
import type { ImageFacts } from '../../src/lib/dockerfile/lint/rule.ts';
import type { ImageDescription } from '../features/hover/image.ts';

/** The part of the knowledge of images that is needed. */
export interface LocalImages {
  describeLocal(name: string): ImageDescription | undefined;
}

/** Facts for one judging: each image is asked for once, however many stages are built on it. */
export function baseImages(images: LocalImages): ImageFacts {
  const known = new Map<string, ImageDescription | undefined>();
  const describe = (name: string): ImageDescription | undefined => {
    if (!known.has(name)) known.set(name, images.describeLocal(name));
    return known.get(name);
  };
  return {
    environment: (image) => describe(image)?.environment.map((entry) => entry.replace(/=.*/s, '')),
    platform: (image) => {
      const platforms = describe(image)?.platforms ?? [];
      return platforms.length === 1 ? platforms[0] : undefined;
    },
  };
}
