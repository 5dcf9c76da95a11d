/** Applies the linter's fixes to a text until none is left, and writes a fixed file in the place of the old one. */

import {
  chownSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { applyEdits, compatibleFixes } from '../../lib/dockerfile/lint/edits.ts';
import type { FixSafety, LintProblem } from '../../lib/dockerfile/lint/rule.ts';
import { EngineError } from '../../lib/errors.ts';

/** Fixes that make each other needed again end here. */
const ROUNDS = 10;

export interface Fixed {
  readonly text: string;
  readonly count: number;
}

/** Fixes a text; `lint` finds the problems of a text. */
export async function fixText(
  text: string,
  lint: (text: string) => Promise<readonly LintProblem[]>,
  safeties: readonly FixSafety[],
): Promise<Fixed> {
  let fixed = text;
  let count = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const fixes = compatibleFixes(await lint(fixed), safeties);
    if (fixes.length === 0) break;
    const next = applyEdits(
      fixed,
      fixes.flatMap(({ edits }) => edits),
    );
    if (next === fixed) break;
    fixed = next;
    count += fixes.length;
  }
  return { text: fixed, count };
}

/** Puts a text in a file's place (a link's target), whole or not at all, with its mode and owner. `before` is what was read of it. */
export function writeFixed(path: string, before: string, text: string): void {
  const target = realpathSync(path);
  const bytes = readFileSync(target);
  if (!bytes.equals(Buffer.from(before, 'utf8'))) {
    throw new EngineError(
      'invalid',
      `${path} is not UTF-8, or was changed meanwhile: it is left as it is`,
      { path },
    );
  }
  const { mode, uid, gid } = statSync(target);
  const draft = join(dirname(target), `.${basename(target)}.${String(process.pid)}.tmp`);
  try {
    writeFileSync(draft, text, { mode: mode & 0o777, flag: 'wx' });
    // Only root can give a file away, and only root would take it.
    if (process.getuid?.() === 0) chownSync(draft, uid, gid);
    renameSync(draft, target);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw new EngineError('internal', `cannot write ${path}`, { path, cause });
  }
}
