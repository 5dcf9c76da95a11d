/**
 * The linter's entry: a parsed Dockerfile and options in, problems out, the parser's own with their fixes among them;
 * what comments and options ignore is left out. Pure.
 */
import type { Dockerfile } from '../syntax.ts';
import type { LintMemory } from './memory.ts';
import type { LintOptions, LintProblem } from './rule.ts';
import { readSuppressions } from './suppress.ts';
import { Walk } from './walk.ts';

export const DEFAULT_OPTIONS: LintOptions = {
  severities: new Map(),
  trustedRegistries: [],
  labelSchema: new Map(),
  strictLabels: false,
  disableIgnorePragma: false,
  context: undefined,
  images: undefined,
};

export interface LintResult {
  /** In the order of the file. */
  readonly problems: readonly LintProblem[];
  /** `# check=error=true`: any problem is to fail the run. */
  readonly failOnAny: boolean;
}

/** Lints a parsed file. Never throws, whatever the file. `memory` keeps what this and other files can use again. */
export function lintDockerfile(
  file: Dockerfile,
  options: LintOptions = DEFAULT_OPTIONS,
  memory?: LintMemory,
): LintResult {
  const steps = lintInSteps(file, options, memory);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As `lintDockerfile`, an instruction at a time, for those who must not hold others up. It may be left unfinished. */
export function* lintInSteps(
  file: Dockerfile,
  options: LintOptions = DEFAULT_OPTIONS,
  memory?: LintMemory,
): Generator<undefined, LintResult, undefined> {
  const suppressions = readSuppressions(file, options);
  const walk = new Walk(file, options, { suppressions, memory });
  yield* walk.judge();
  return { problems: walk.problems(), failOnAny: suppressions.failOnAny };
}
