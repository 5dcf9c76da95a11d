/**
 * Makes a classic build's stream (ours, Docker's or Podman's) into steps with times and logs, as a build record has them.
 * Holds one build; does no I/O and owns no clock.
 */
import type { BuildRecord, BuildStep, BuildStepOutcome } from '../../lib/api/builds.ts';
import type { JsonMessage } from '../../lib/api/system.ts';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import type { Dockerfile, Instruction } from '../../lib/dockerfile/syntax.ts';

/** What a step's log may hold, in UTF-16 code units; the oldest text goes first. */
const LOG_LIMIT = 2 * 1024 * 1024;
const TAIL_LIMIT = 2048;

/** A line longer than this is no line of the builder's own. */
const LINE_LIMIT = 64 * 1024;

const HEADING = /^step (\d+)\/(\d+) ?: ?(.*)$/i;
const CACHED = /^-{2,3}> Using cache/;
const QUIET =
  /^(?:-{2,3}> (?:Running in |Removed intermediate container |[0-9a-f]{8,64}$)|Removing intermediate container )/;
const IMAGE = /^Successfully built ([0-9a-f]{6,64})$/;

/** Says what a message did: a step that changed, and the text that belongs to it. */
export interface Advance {
  /** Index of the step; undefined for text before the first one. */
  readonly step: number | undefined;
  /** Text of the step's log, without the builder's own lines. */
  readonly text: string;
}

export interface ProgressOptions {
  /** The Dockerfile's text: where steps find their lines. */
  readonly dockerfile: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export class BuildProgress {
  readonly steps: BuildStep[] = [];
  /** As the record's `image`; short where the engine says no more. */
  image = '';
  total = 0;
  private readonly now: () => number;
  private readonly places: Instruction[];
  private readonly file: Dockerfile;
  private readonly logs: string[] = [];
  private preamble = '';
  private line = '';
  private startedAt = 0;
  private place = 0;

  constructor({ dockerfile, now }: ProgressOptions) {
    this.now = now;
    this.file = parseDockerfile(dockerfile);
    this.places = [...this.file.instructions];
  }

  /** Takes one message; what it changed, in order. */
  take(message: JsonMessage): Advance[] {
    const id = message.aux?.['ID'];
    if (typeof id === 'string') this.image = id;
    if (message.status !== undefined) return this.takeStatus(message);
    return message.stream === undefined ? [] : this.takeText(message.stream);
  }

  /** Ends the build: the step under way was done, failed or was stopped. */
  end(outcome: 'succeeded' | 'failed' | 'cancelled'): Advance[] {
    const rest = this.line === '' ? [] : this.takeText('\n');
    const state = outcome === 'succeeded' ? 'ran' : outcome;
    this.close(state);
    return [...rest, { step: this.current(), text: '' }];
  }

  logOf(step: number): string {
    return this.logs[step] ?? '';
  }

  /** What came before the first step: warnings, the context. */
  get before(): string {
    return this.preamble;
  }

  /** How many steps there are of each outcome. */
  counts(): Pick<BuildRecord, 'steps' | 'cached'> {
    const cached = this.steps.filter(({ outcome }) => outcome === 'cached').length;
    return { steps: Math.max(this.total, this.steps.length), cached };
  }

  private takeStatus({ status = '', id, progressDetail }: JsonMessage): Advance[] {
    // Of a pull's progress only what is not a moving bar belongs into a log.
    if (progressDetail?.current !== undefined) return [];
    return this.append(`${id === undefined ? '' : `${id}: `}${status}\n`);
  }

  private takeText(text: string): Advance[] {
    const changed: Advance[] = [];
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      const line = this.line + text.slice(from, at);
      this.line = '';
      from = at + 1;
      changed.push(...this.takeLine(line));
    }
    this.line += text.slice(from);
    if (this.line.length > LINE_LIMIT) {
      changed.push(...this.append(this.line));
      this.line = '';
    }
    return changed;
  }

  private takeLine(line: string): Advance[] {
    const bare = line.trim();
    const heading = HEADING.exec(bare);
    if (heading !== null && this.isNext(Number(heading[1]), Number(heading[2])))
      return this.begin(Number(heading[1]), Number(heading[2]), heading[3] ?? '');
    const step = this.steps.at(-1);
    if (CACHED.test(bare) && step !== undefined) {
      step.outcome = 'cached';
      return [{ step: this.current(), text: '' }];
    }
    const built = IMAGE.exec(bare);
    if (built?.[1] !== undefined && this.image === '') this.image = built[1];
    const isBuilders = QUIET.test(bare) || built !== null || /^Successfully tagged /.test(bare);
    return isBuilders ? [] : this.append(`${line}\n`);
  }

  /** A program that prints "Step 1/9 : x" is not the builder: numbers go up, and the total stays. */
  private isNext(number: number, total: number): boolean {
    if (this.total !== 0 && total !== this.total) return false;
    return number > (this.steps.at(-1)?.number ?? 0) && number <= total;
  }

  private begin(number: number, total: number, text: string): Advance[] {
    const before = this.current();
    this.close('ran');
    this.total = total;
    this.startedAt = this.now();
    const where = this.find(text);
    this.steps.push({
      index: this.steps.length,
      number,
      text,
      outcome: 'running',
      reason: null,
      ms: 0,
      size: 0,
      logTail: '',
      ...where,
    });
    this.logs.push('');
    const ended = before === undefined ? [] : [{ step: before, text: '' }];
    return [...ended, { step: this.current(), text: '' }];
  }

  private close(outcome: BuildStepOutcome): void {
    const step = this.steps.at(-1);
    if (step === undefined) return;
    if (step.outcome === 'running') step.outcome = outcome;
    else if (outcome === 'failed' && step.outcome === 'cached') step.outcome = outcome;
    else return;
    step.ms = Math.max(0, Math.round(this.now() - this.startedAt));
    step.logTail = this.logOf(step.index).slice(-TAIL_LIMIT);
  }

  private append(text: string): Advance[] {
    const step = this.current();
    if (step === undefined) this.preamble = (this.preamble + text).slice(-LOG_LIMIT);
    else this.logs[step] = ((this.logs[step] ?? '') + text).slice(-LOG_LIMIT);
    return [{ step, text }];
  }

  private current(): number | undefined {
    return this.steps.length === 0 ? undefined : this.steps.length - 1;
  }

  /** The next instruction of the file that reads like the step: engines leave out stages that nothing needs. */
  private find(text: string): Pick<BuildStep, 'stage' | 'stageName' | 'startLine' | 'endLine'> {
    const wanted = normalInstruction(text);
    const from = this.place;
    let found = this.places.findIndex(
      (at, index) => index >= from && normalInstruction(at.original) === wanted,
    );
    if (found < 0) {
      const [word = ''] = wanted.split(' ');
      const kind = word.toUpperCase();
      found = this.places.findIndex(({ kind: own }, index) => index >= from && own === kind);
    }
    const instruction = this.places[found];
    if (instruction === undefined) {
      const last = this.steps.at(-1);
      const { stage = 0, stageName = null, startLine = 1, endLine = 1 } = last ?? {};
      return { stage, stageName, startLine, endLine };
    }
    this.place = found + 1;
    const { start, end } = this.file.lines.span(instruction.range);
    const stage = this.file.stages.findLast(
      ({ from: own }) => own.range.start <= instruction.range.start,
    );
    return {
      stage: stage?.index ?? 0,
      stageName: stage?.name ?? null,
      startLine: start.line + 1,
      endLine: end.line + 1,
    };
  }
}

/** An instruction's words with one blank between, the keyword in upper case: how those of engines and of files compare. */
export function normalInstruction(text: string): string {
  const words = text.trim().replaceAll(/\s+/g, ' ');
  const blank = words.indexOf(' ');
  return blank < 0 ? words.toUpperCase() : words.slice(0, blank).toUpperCase() + words.slice(blank);
}
