/**
 * Dockerfile, arguments and the configurations of its base images in; the build graph out. Pure: where an image's
 * configuration is needed and not given it says which, and is called again. All problems are found before anything runs.
 */
import { parseDockerfile } from '../../../lib/dockerfile/parse.ts';
import {
  reachableStages,
  resolveStage,
  stageReferences,
  targetStage,
} from '../../../lib/dockerfile/stages.ts';
import type { Dockerfile, Instruction, Problem, Stage } from '../../../lib/dockerfile/syntax.ts';
import type { RunConfig } from '../../../lib/image/config.ts';
import type { Base, Graph, ImageWant, Source, StagePlan, Step } from './graph.ts';
import { pairsHistory } from './history.ts';
import { planInstruction, withLabels } from './instructions.ts';
import {
  DEFAULT_PATH,
  Expander,
  globalScope,
  platformArgs,
  unusedArgs,
  withEnv,
  type BuildArgs,
  type StageState,
  type StepContext,
} from './scope.ts';

/** What the plan needs to know of an image. */
export interface BaseImage {
  readonly config: RunConfig;
  readonly author: string | undefined;
  /** `os/arch[/variant]`. */
  readonly platform: string;
}

export interface PlanInput {
  readonly file: Dockerfile;
  readonly buildArgs: BuildArgs;
  readonly labels: Readonly<Record<string, string>>;
  /** A stage's name or index; '' is the last one. */
  readonly target: string;
  /** Of this machine, `os/arch[/variant]`. */
  readonly buildPlatform: string;
  /** Asked for; '' is this machine's. */
  readonly targetPlatform: string;
  readonly network: 'default' | 'none' | 'host';
  /** By `imageKey`. */
  readonly images: ReadonlyMap<string, BaseImage>;
}

export type Plan =
  | { readonly kind: 'graph'; readonly graph: Graph }
  | { readonly kind: 'wants'; readonly images: readonly ImageWant[] }
  | { readonly kind: 'no-target'; readonly message: string }
  /** `unsupported`: every one of them is about something that this builder cannot do. */
  | {
      readonly kind: 'invalid';
      readonly problems: readonly Problem[];
      readonly unsupported: boolean;
    };

export function imageKey(want: ImageWant): string {
  return `${want.ref} ${want.platform}`;
}

export function planBuild(input: PlanInput): Plan {
  const { file } = input;
  const errors = file.problems.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) return { kind: 'invalid', problems: errors, unsupported: false };
  const chosen = targetStage(file.stages, input.target);
  if ('missing' in chosen) return { kind: 'no-target', message: chosen.missing };
  const target = chosen.stage;
  const planner = new Planner(input);
  planner.collect(target);
  if (planner.expander.problems.length === 0 && planner.wants.size === 0) planner.stage(target);
  const { problems, unsupportedCount } = planner.expander;
  if (problems.length > 0) {
    const sorted = [...problems].sort((a, b) => a.range.start.offset - b.range.start.offset);
    return { kind: 'invalid', problems: sorted, unsupported: unsupportedCount === problems.length };
  }
  if (planner.wants.size > 0) return { kind: 'wants', images: [...planner.wants.values()] };
  return { kind: 'graph', graph: planner.graph(target) };
}

/** A stage without numbers; they are given when it is known which stages are needed. */
type Unnumbered = Omit<StagePlan, 'number' | 'steps'> & {
  readonly steps: readonly Step[];
  readonly state: StageState;
};

/** Holds what one call has planned already: each stage once. */
class Planner {
  readonly expander: Expander;
  readonly wants = new Map<string, ImageWant>();
  private readonly input: PlanInput;
  private readonly predefined: ReadonlyMap<string, string>;
  private readonly globals: ReadonlyMap<string, string>;
  private readonly targetPlatform: string;
  private readonly planned = new Map<number, Unnumbered>();

  constructor(input: PlanInput) {
    this.input = input;
    this.expander = new Expander(input.file);
    this.targetPlatform = input.targetPlatform === '' ? input.buildPlatform : input.targetPlatform;
    this.predefined = platformArgs(input.buildPlatform, this.targetPlatform, input.target);
    this.globals = globalScope({
      file: input.file,
      predefined: this.predefined,
      args: input.buildArgs,
      expander: this.expander,
    });
  }

  /** Asks for every image that the file itself names in the stages that the target needs, so that they come together. */
  collect(target: Stage): void {
    const { file } = this.input;
    const value = (word: { text: string }): string => this.quiet(word.text);
    for (const stage of reachableStages(file.stages, target, value)) {
      for (const { kind, word } of stageReferences(stage)) {
        const name = kind === 'base' ? this.quiet(word.text) : word.text;
        const base = this.source(name, stage, {
          indices: kind !== 'base',
          platform: this.platformOf(stage),
        });
        if (base.kind === 'image' && base.ref !== '') this.want(base);
      }
    }
  }

  stage(stage: Stage): Unnumbered {
    const known = this.planned.get(stage.index);
    if (known !== undefined) return known;
    const platform = this.platformOf(stage);
    const env = (name: string): string | undefined => this.globals.get(name);
    const ref = this.expander.word(stage.from.image, env);
    if (ref === '')
      this.expander.report(
        'InvalidExpansion',
        `the base name (${stage.from.image.text}) should not be blank`,
        stage.from.image.range,
      );
    if (stage.from.platform !== undefined) this.expander.word(stage.from.platform, env);
    const base = this.source(ref, stage, { indices: false, platform }) as Base;
    const { state, made } = this.begin(base, platform);
    const triggers = state.config.OnBuild ?? [];
    const steps: Step[] = [];
    if (triggers.length > 0) {
      state.config = { ...state.config };
      delete state.config.OnBuild;
      for (const trigger of triggers) this.trigger(trigger, { stage, state, steps });
    }
    for (const instruction of stage.instructions)
      this.step(instruction, { stage, state, steps, expander: this.expander });
    const result: Unnumbered = {
      index: stage.index,
      name: stage.name,
      base,
      text: stage.from.original,
      line: this.expander.line(stage.from.range),
      triggers: triggers.length,
      steps,
      config: state.config,
      author: state.author,
      platform: made,
      state,
    };
    this.planned.set(stage.index, result);
    return result;
  }

  graph(target: Stage): Graph {
    const { file, buildArgs, labels } = this.input;
    const stages: StagePlan[] = [];
    let number = 0;
    for (const index of [...this.planned.keys()].sort((a, b) => a - b)) {
      const planned = this.planned.get(index);
      if (planned === undefined) continue;
      const { state, ...plan } = planned;
      number++;
      const from = number;
      const steps = plan.steps.map((step) =>
        step.number === 0 ? step : { ...step, number: ++number },
      );
      const stage = { ...plan, number: from, steps };
      const pairs = Object.entries(labels);
      if (index !== target.index || pairs.length === 0) stages.push(stage);
      else stages.push(withBuildLabels(stage, { state, pairs, number: ++number }));
    }
    return {
      stages,
      target: target.index,
      total: number,
      unusedArgs: unusedArgs(file, this.predefined, buildArgs),
    };
  }

  /** The value of a text of FROM; its problems are reported when the stage itself is planned. */
  private quiet(text: string): string {
    const silent = new Expander(this.input.file);
    return silent.word({ text, range: { start: 0, end: 0 }, breaks: [] }, (name) =>
      this.globals.get(name),
    );
  }

  private platformOf(stage: Stage): string {
    const { platform } = stage.from;
    const asked = platform === undefined ? '' : this.quiet(platform.text).toLowerCase();
    return asked === '' ? this.targetPlatform : asked;
  }

  private source(
    name: string,
    stage: Stage,
    options: { indices: boolean; platform: string },
  ): Base | Source {
    if (!options.indices && name === 'scratch') return { kind: 'scratch' };
    const found = resolveStage(this.input.file.stages, name, {
      before: stage.index,
      indices: options.indices,
    });
    if (found !== undefined) return { kind: 'stage', index: found.index };
    return { kind: 'image', ref: name, platform: options.platform };
  }

  private want(want: ImageWant): BaseImage | undefined {
    const key = imageKey(want);
    const image = this.input.images.get(key);
    if (image === undefined) this.wants.set(key, { ref: want.ref, platform: want.platform });
    return image;
  }

  /** The state that a base leaves, and the platform of what it makes. */
  private begin(base: Base, platform: string): { state: StageState; made: string } {
    if (base.kind === 'stage') {
      const parent = this.input.file.stages[base.index];
      if (parent === undefined) throw new RangeError(`no stage ${base.index}`);
      const before = this.stage(parent);
      return { state: newState(before.config, before.author), made: before.platform };
    }
    const image = base.kind === 'image' && base.ref !== '' ? this.want(base) : undefined;
    return {
      state: newState(image?.config ?? {}, image?.author),
      made: image?.platform ?? platform,
    };
  }

  /** An instruction that the base image left for its children; its problems stand at the FROM. */
  private trigger(text: string, place: { stage: Stage; state: StageState; steps: Step[] }): void {
    const file = parseDockerfile(`FROM scratch\n${text}\n`);
    const at = place.stage.from.range;
    const bad = file.problems.find(({ severity }) => severity === 'error');
    const instruction = file.stages[0]?.instructions[0];
    if (bad !== undefined || instruction === undefined) {
      const why = bad?.message ?? 'it is empty';
      this.expander.report(
        'OnbuildDisallowed',
        `the base image's ONBUILD trigger '${text}' is wrong: ${why}`,
        at,
      );
      return;
    }
    const expander = new Expander(file, { file: this.input.file, range: at });
    this.step(instruction, { ...place, expander });
    this.expander.problems.push(...expander.problems);
    this.expander.unsupportedCount += expander.unsupportedCount;
  }

  private step(
    instruction: Instruction,
    place: { stage: Stage; state: StageState; steps: Step[]; expander: Expander },
  ): void {
    const { stage, state, steps, expander } = place;
    const context: StepContext = {
      expander,
      buildArgs: this.input.buildArgs,
      globals: this.globals,
      network: this.input.network,
      resolve: (name) => this.resolve(name, stage),
    };
    const planned = planInstruction(instruction, state, context);
    if (planned === undefined) return;
    steps.push({
      number: expander === this.expander ? 1 : 0,
      text: instruction.original,
      line: expander.line(instruction.range),
      endLine: expander.lastLine(instruction.range),
      ...planned,
      config: state.config,
      author: state.author,
    });
  }

  /** `--from=NAME`: an earlier stage, which is then needed, or an image. */
  private resolve(name: string, stage: Stage): Source {
    const source = this.source(name, stage, {
      indices: true,
      platform: this.platformOf(stage),
    }) as Source;
    if (source.kind === 'image') this.want(source);
    if (source.kind === 'stage') {
      const needed = this.input.file.stages[source.index];
      if (needed !== undefined) this.stage(needed);
    }
    return source;
  }
}

function newState(config: RunConfig, author: string | undefined): StageState {
  const { Env: env = [] } = config;
  const full = env.some((entry) => entry.startsWith('PATH='))
    ? env
    : withEnv(env, 'PATH', DEFAULT_PATH);
  return {
    config: { ...config, Env: [...full] },
    author,
    variables: { env: full, args: new Map() },
    cmdSet: false,
  };
}

/** `docker build --label`: a LABEL after the target's last instruction, as the classic builder has it. */
function withBuildLabels(
  stage: StagePlan,
  { state, pairs, number }: { state: StageState; pairs: [string, string][]; number: number },
): StagePlan {
  const config = { ...state.config, Labels: withLabels(state.config.Labels, pairs) };
  const text = pairsHistory('LABEL', pairs);
  const line = stage.steps.at(-1)?.line ?? stage.line;
  const step: Step = {
    number,
    text,
    line,
    endLine: line,
    action: { kind: 'meta' },
    createdBy: text,
    config,
    author: stage.author,
  };
  return { ...stage, steps: [...stage.steps, step], config };
}

/** The message of a build that cannot start: every error with its line, as the editor shows them. */
export function problemMessage(problems: readonly Problem[]): string {
  return problems
    .map(
      ({ range, message }) => `dockerfile parse error on line ${range.start.line + 1}: ${message}`,
    )
    .join('\n');
}
