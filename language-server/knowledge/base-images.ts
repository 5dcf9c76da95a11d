/** What the linter is told of base images: those that a local engine has, as far as they are known already. */
import { imageFacts, type KnownImage } from '../../src/lib/dockerfile/lint/analysis/images.ts';
import type { ImageFacts } from '../../src/lib/dockerfile/lint/rule.ts';

/** The part of the knowledge of images that is needed. */
export interface LocalImages {
  describeLocal(name: string): KnownImage | undefined;
}

export function baseImages(images: LocalImages): ImageFacts {
  return imageFacts((name) => images.describeLocal(name));
}
