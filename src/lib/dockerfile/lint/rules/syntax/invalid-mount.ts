/** InvalidMount: A mount has options that exist and fit together. The parser finds it; this is the way out. */
import { MOUNT_KEYS, MOUNT_TYPES, SHARING_MODES } from '../../../mounts.ts';
import type { Dockerfile, Problem } from '../../../syntax.ts';
import { nearestFix } from '../../analysis/near.ts';
import { offsetsOf, textOf } from '../../analysis/places.ts';
import type { Fix, Rule } from '../../rule.ts';

export const invalidMount: Rule = {
  id: 'InvalidMount',
  aliases: [],
  severity: 'error',
  blocking: true,
  summary: 'A mount has options that exist and fit together',
  fixable: true,
  checks: {
    RUN: ({ mounts }, { report }) => {
      // Without a target it lies at WORKDIR.
      for (const { type, target } of mounts) {
        if (type === 'secret' || type === 'ssh' || target === undefined) continue;
        if (/^\/[/.]*$/.test(target.text))
          report({ message: "a mount's target cannot be the root", range: target.range });
      }
    },
  },
  repair,
};

/** The key, type or mode of sharing that was meant. */
function repair(problem: Problem, file: Dockerfile): Fix | undefined {
  const range = offsetsOf(problem);
  const text = textOf(file, range);
  if (problem.message.includes('mount type')) return nearestFix(text, range, MOUNT_TYPES).fix;
  if (problem.message.includes('unsupported sharing'))
    return nearestFix(text, range, SHARING_MODES).fix;
  if (!problem.message.includes('has no key')) return undefined;
  // The problem is at the value; its key stands before the equals sign.
  const start =
    Math.max(
      file.text.lastIndexOf(',', range.start - 1),
      file.text.lastIndexOf('--mount=', range.start) + 7,
    ) + 1;
  const key = /^[\w-]+/.exec(file.text.slice(start, range.end))?.[0];
  return key === undefined
    ? undefined
    : nearestFix(key, { start, end: start + key.length }, MOUNT_KEYS).fix;
}
