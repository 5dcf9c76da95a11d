/** Pins a base image by the digest that its name stands for now, where that is known. */
import { insert } from '../lint/edits.ts';
import { tryReference } from '../../image/reference.ts';
import { onlyInstruction } from './place.ts';
import type { RefactorRequest, Refactoring } from './refactoring.ts';

export function pinDigest(request: RefactorRequest): readonly Refactoring[] {
  const from = onlyInstruction(request);
  if (from?.kind !== 'FROM') return [];
  const { text, range } = from.image;
  const reference = tryReference(text);
  const isStage = request.file.stages.some(
    (stage) => stage.from !== from && stage.name === text.toLowerCase(),
  );
  if (reference === undefined || reference.digest !== undefined) return [];
  if (text === 'scratch' || isStage || range.end - range.start !== text.length) return [];
  const digest = request.digestOf(text);
  if (digest === undefined || !/^sha256:[0-9a-f]{64}$/.test(digest)) return [];
  const title = `Pin ${text} to ${digest.slice(0, 19)}…`;
  return [{ title, kind: 'rewrite', edits: [insert(range.end, `@${digest}`)] }];
}
