/**
 * Asks ShellCheck about the scripts of many files at once: each text once, many of them in one process, as many processes
 * as there are processors. The scripts lie in a folder of their own, which is removed whatever happens.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LintOptions, LintProblem } from '../../../lib/dockerfile/lint/rule.ts';
import { Variables } from '../../../lib/dockerfile/scope/variables.ts';
import { scriptsOf } from '../../../lib/dockerfile/shell/scripts.ts';
import type { Dockerfile } from '../../../lib/dockerfile/syntax.ts';
import { messageOf } from '../../../lib/errors.ts';
import { inTurns } from '../../../lib/turns.ts';
import type { Comment } from './comments.ts';
import { type Input, inputsOf } from './input.ts';
import { findingsAmong, joinProblems } from './merge.ts';
import { runShellCheck, runShellCheckOn } from './program.ts';

/** A file that the linter has judged. */
export interface Judged {
  readonly file: Dockerfile;
  readonly own: readonly LintProblem[];
  readonly options: LintOptions;
}

export interface BatchResult {
  /** All problems of each file, in the order of the files. */
  readonly problems: readonly (readonly LintProblem[])[];
  /** Why some scripts were not checked. */
  readonly failures: readonly string[];
}

/** Scripts that one process is given. */
const BATCH = 50;
/** After so many failures the program is left alone. */
const FAILURE_LIMIT = 3;
/** Larger files are generated: their scripts are not handed over. */
const LARGE = 1_000_000;

/** Adds ShellCheck's findings to those of the linter. Rejects only when the signal is aborted. */
export async function addShellCheck(
  program: string,
  files: readonly Judged[],
  signal: AbortSignal,
): Promise<BatchResult> {
  const inputs = files.map(({ file }) =>
    file.text.length > LARGE ? [] : inputsOf(scriptsOf(file), new Variables(file)),
  );
  const unique = new Map(inputs.flat().map((input) => [input.key, input]));
  const { known, failures } = await new Batch(program, signal).check([...unique.values()]);
  const problems = files.map(({ file, own, options }, at) => {
    const findings = (inputs[at] ?? []).flatMap((input) => {
      const comments = known.get(input.key);
      return comments === undefined ? [] : [{ input, comments }];
    });
    return joinProblems(own, findingsAmong(own, findings, { file, options }));
  });
  return { problems, failures };
}

class Batch {
  private readonly program: string;
  private readonly signal: AbortSignal;
  private readonly known = new Map<string, readonly Comment[]>();
  private readonly failures: string[] = [];

  constructor(program: string, signal: AbortSignal) {
    this.program = program;
    this.signal = signal;
  }

  async check(
    inputs: readonly Input[],
  ): Promise<{ known: ReadonlyMap<string, readonly Comment[]>; failures: readonly string[] }> {
    const { known, failures } = this;
    if (inputs.length === 0) return { known, failures };
    const folder = await mkdtemp(join(tmpdir(), 'pinnace-shellcheck-'));
    try {
      await inTurns(availableParallelism(), batchesOf(inputs), (next) => this.batch(next, folder));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return { known, failures };
  }

  private async batch(inputs: readonly Numbered[], folder: string): Promise<void> {
    const [first] = inputs;
    if (first === undefined || this.failures.length >= FAILURE_LIMIT) return;
    const names = inputs.map(({ name }) => name);
    try {
      for (const { name, input } of inputs) await writeFile(join(folder, name), input.text);
      const files = { folder, names, dialect: first.input.dialect };
      const found = await runShellCheckOn(this.program, files, this.signal);
      for (const { name, input } of inputs) this.known.set(input.key, found.get(name) ?? []);
    } catch {
      // One script may have spoilt it for the others: each is asked about alone, and says why it fails.
      this.signal.throwIfAborted();
      for (const { input } of inputs) await this.single(input);
    }
  }

  private async single(input: Input): Promise<void> {
    if (this.failures.length >= FAILURE_LIMIT) return;
    try {
      this.known.set(input.key, await runShellCheck(this.program, input, this.signal));
    } catch (error) {
      this.signal.throwIfAborted();
      this.failures.push(messageOf(error));
    }
  }
}

interface Numbered {
  readonly name: string;
  readonly input: Input;
}

/** Scripts of one language together. */
function batchesOf(inputs: readonly Input[]): (readonly Numbered[])[] {
  const byDialect = new Map<string, Numbered[]>();
  for (const [number, input] of inputs.entries()) {
    const list = byDialect.get(input.dialect) ?? [];
    list.push({ name: String(number), input });
    byDialect.set(input.dialect, list);
  }
  const size = Math.max(1, Math.min(BATCH, Math.ceil(inputs.length / availableParallelism())));
  const batches: (readonly Numbered[])[] = [];
  for (const list of byDialect.values())
    for (let at = 0; at < list.length; at += size) batches.push(list.slice(at, at + size));
  return batches;
}
