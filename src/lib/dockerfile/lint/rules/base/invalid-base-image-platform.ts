/** InvalidBaseImagePlatform: the base image is of the platform that FROM asks for, as far as images are known. */
import type { Rule } from '../../rule.ts';

export const invalidBaseImagePlatform: Rule = {
  id: 'InvalidBaseImagePlatform',
  aliases: [],
  severity: 'warning',
  summary: 'The base image is of the platform that FROM asks for',
  fixable: false,
  checks: {
    FROM: (from, { facts, options, report }) => {
      if (from.platform === undefined || options.images === undefined) return;
      const wanted = facts.expandGlobal(from.platform);
      const image = facts.imageOf(from);
      if (wanted.open || image.open || wanted.undeclared.length + image.undeclared.length > 0)
        return;
      const found = options.images.platform(image.text, wanted.text);
      if (found === undefined || samePlatform(found, wanted.text)) return;
      const message = `base image ${image.text} is of platform ${found}, and this asks for ${wanted.text}`;
      report({ message, range: from.platform.range });
    },
  },
};

/** `linux/arm64` and `linux/arm64/v8` are one. */
function samePlatform(a: string, b: string): boolean {
  const [os, architecture, variant] = a.split('/');
  const [otherOs, otherArchitecture, otherVariant] = b.split('/');
  const variants = variant === undefined || otherVariant === undefined || variant === otherVariant;
  return os === otherOs && architecture === otherArchitecture && variants;
}
