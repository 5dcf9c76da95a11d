/**
 * Owns what many rules want to know of one file: the stages' bases, the images that they come from, the variables in
 * force. Each answer is worked out once, when it is first asked for.
 */
import { expandWord } from '../../expand.ts';
import { type Reference, tryReference } from '../../../image/reference.ts';
import { StageGraph } from '../../stages.ts';
import type { Dockerfile, FromInstruction, Instruction, Pair, Stage, Word } from '../../syntax.ts';
import type { ImageFacts } from '../rule.ts';
import { expandedWords } from './words.ts';

/** Arguments that FROM may use without declaring them. */
export const PLATFORM_ARGUMENTS: readonly string[] = ['TARGET', 'BUILD'].flatMap((side) =>
  ['PLATFORM', 'OS', 'OSVERSION', 'ARCH', 'VARIANT'].map((part) => side + part),
);

/** Names that have a value in every stage: the proxies, and PATH, which the builder always sets. */
export const BUILT_IN_NAMES: readonly string[] = [
  'PATH',
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]),
];

const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_NAMES);

const PLATFORM_VALUES: ReadonlyMap<string, string> = new Map([
  ['PLATFORM', 'linux/amd64'],
  ['OS', 'linux'],
  ['ARCH', 'amd64'],
]);

/** A FROM's image with its arguments' defaults put in. */
export interface BaseImage {
  readonly text: string;
  /** Names without a declaration before the first FROM. */
  readonly undeclared: readonly string[];
  /** An argument without a default is in it. */
  readonly open: boolean;
}

/** The names in the environment that a stage begins with. */
export interface Inherited {
  has(name: string): boolean;
  /** All names, those of the nearest stage first. */
  readonly names: () => Iterable<string>;
  /** All names are known: the stage comes from scratch or from an image whose environment is known. */
  readonly complete: boolean;
}

/** What a stage itself says. */
export interface StageSummary {
  /** ARG's and ENV's names, each with its last pair; names that mounts give to secrets have none. */
  readonly names: ReadonlyMap<string, Pair | undefined>;
  /** ENV's names. */
  readonly environment: ReadonlySet<string>;
  /** Where the first SHELL stands. */
  readonly shell: number | undefined;
  readonly hasWorkdir: boolean;
}

const NO_WORDS: readonly Word[] = [];

/** More stages that are built on each other than anyone makes. */
const CHAIN_LIMIT = 100;

/** No image name and no part of one is longer. */
const VALUE_LIMIT = 4096;

export class Facts {
  readonly graph: StageGraph;
  private readonly file: Dockerfile;
  private readonly images: ImageFacts | undefined;
  private globals: ReadonlyMap<string, Pair> | undefined;
  private values: ReadonlyMap<string, string> | undefined;
  private readonly baseStages = new Map<Stage, Stage | undefined>();
  private readonly summaries = new Map<Stage, StageSummary>();
  private readonly bases = new Map<FromInstruction, BaseImage>();
  private readonly stages = new Map<Instruction, Stage>();
  private readonly references = new Map<string, Reference | undefined>();
  private readonly words = new Map<Instruction, readonly Word[]>();

  constructor(file: Dockerfile, images: ImageFacts | undefined) {
    this.file = file;
    this.images = images;
    this.graph = new StageGraph(file.stages);
    for (const stage of file.stages) this.stages.set(stage.from, stage);
  }

  /** The arguments declared before the first FROM; the last declaration of a name counts. */
  get globalArguments(): ReadonlyMap<string, Pair> {
    if (this.globals === undefined) {
      const pairs = this.file.globalArgs.flatMap((instruction) => instruction.pairs);
      this.globals = new Map(pairs.map((pair) => [pair.name.text, pair]));
    }
    return this.globals;
  }

  /** The words of an instruction that hold variables or quotes and are expanded by the frontend. */
  expandedWords(instruction: Instruction): readonly Word[] {
    const known = this.words.get(instruction);
    if (known !== undefined) return known;
    const found = /[$"']/.test(instruction.original)
      ? expandedWords(instruction).filter(({ text }) => /[$"']/.test(text))
      : NO_WORDS;
    this.words.set(instruction, found);
    return found;
  }

  /** An image's name taken apart; undefined for what is none. */
  reference(text: string): Reference | undefined {
    if (this.references.has(text)) return this.references.get(text);
    const reference = tryReference(text);
    this.references.set(text, reference);
    return reference;
  }

  /** The stage that a FROM begins. */
  stageOf(from: FromInstruction): Stage | undefined {
    return this.stages.get(from);
  }

  /** The stage that a stage is built on, undefined for an image. */
  baseOf(stage: Stage): Stage | undefined {
    if (this.baseStages.has(stage)) return this.baseStages.get(stage);
    const { image } = stage.from;
    const name = image.text.includes('$') ? this.imageOf(stage.from).text : image.text;
    const base = this.graph.resolve({ kind: 'base', name, at: stage });
    this.baseStages.set(stage, base);
    return base;
  }

  /** The first stage of the chain that a stage is built on. */
  rootOf(stage: Stage): Stage {
    return this.chainOf(stage).at(-1) ?? stage;
  }

  /** A stage and those that it is built on, itself first; a chain of more than a hundred is cut. */
  chainOf(stage: Stage): Stage[] {
    const chain = [stage];
    for (let base = this.baseOf(stage); base !== undefined; base = this.baseOf(base)) {
      if (chain.length >= CHAIN_LIMIT) break;
      chain.push(base);
    }
    return chain;
  }

  /** What a stage itself says, read once. */
  summaryOf(stage: Stage): StageSummary {
    const known = this.summaries.get(stage) ?? summarize(stage);
    this.summaries.set(stage, known);
    return known;
  }

  /** Who the image that a stage comes from runs as, '' for root; undefined: not known. */
  imageUser(stage: Stage): string | undefined {
    return this.images?.user(this.imageOf(this.rootOf(stage).from).text);
  }

  /** The shell that a FROM's image sets, empty for none; undefined: not known. */
  imageShell(from: FromInstruction): readonly string[] | undefined {
    return this.images?.shell(this.imageOf(from).text);
  }

  /** Where an instruction stands, SHELL was said in its stage, in one below, or by the base image. */
  hasOwnShell(stage: Stage, { range }: Instruction): boolean {
    const [own, ...below] = this.chainOf(stage);
    const shell = own && this.summaryOf(own).shell;
    if (shell !== undefined && shell < range.start) return true;
    if (below.some((each) => this.summaryOf(each).shell !== undefined)) return true;
    return (this.imageShell(this.rootOf(stage).from)?.length ?? 0) > 0;
  }

  /** A FROM's image with the defaults of the global arguments. */
  imageOf(from: FromInstruction): BaseImage {
    const known = this.bases.get(from);
    if (known !== undefined) return known;
    const image = this.expandGlobal(from.image);
    this.bases.set(from, image);
    return image;
  }

  /** A word of FROM with the defaults of the global arguments. */
  expandGlobal(word: Word): BaseImage {
    if (!word.text.includes('$')) return { text: word.text, undeclared: [], open: false };
    const values = this.globalValues();
    const undeclared = new Set<string>();
    let open = false;
    const text = this.expand(word, (name) => {
      const platform = PLATFORM_ARGUMENTS.includes(name) ? platformValue(name) : undefined;
      const value = platform ?? values.get(name);
      if (value !== undefined) return value;
      if (this.globalArguments.has(name)) open = true;
      else if (!BUILT_IN_NAMES.includes(name)) undeclared.add(name);
      return undefined;
    });
    return { text, undeclared: [...undeclared], open };
  }

  /** The defaults of the global arguments, each worked out with those before it; none for what has no default. */
  private globalValues(): ReadonlyMap<string, string> {
    if (this.values !== undefined) return this.values;
    const values = new Map<string, string>();
    this.values = values;
    for (const { pairs } of this.file.globalArgs) {
      for (const { name, value } of pairs) {
        const text =
          value === undefined ? undefined : this.expand(value, (inner) => values.get(inner));
        if (text === undefined || text.length > VALUE_LIMIT) values.delete(name.text);
        else values.set(name.text, text);
      }
    }
    return values;
  }

  /** The names in the environment that a stage begins with. */
  inherited(stage: Stage): Inherited {
    const chain = this.chainOf(stage);
    const { from } = chain.at(-1) ?? stage;
    const { text } = this.imageOf(from);
    const found = text === 'scratch' ? [] : this.images?.environment(text);
    const base =
      found === undefined || found.length === 0 ? BUILT_IN : new Set([...BUILT_IN, ...found]);
    const sets = [...chain.slice(1).map((each) => this.summaryOf(each).environment), base];
    return {
      has: (name) => sets.some((set) => set.has(name)),
      names: () => namesIn(sets),
      complete: found !== undefined,
    };
  }

  private expand(word: Word, environment: (name: string) => string | undefined): string {
    const { escapeCharacter: escape } = this.file.directives;
    return expandWord(word, environment, { escape, lines: this.file.lines }).value;
  }
}

function platformValue(name: string): string {
  return PLATFORM_VALUES.get(name.replace(/^(TARGET|BUILD)/, '')) ?? '';
}

function* namesIn(sets: readonly ReadonlySet<string>[]): Iterable<string> {
  for (const set of sets) yield* set;
}

function summarize({ instructions }: Stage): StageSummary {
  const names = new Map<string, Pair | undefined>();
  const environment = new Set<string>();
  let shell: number | undefined;
  let hasWorkdir = false;
  for (const each of instructions) {
    if (each.kind === 'SHELL') shell ??= each.range.start;
    else if (each.kind === 'WORKDIR') hasWorkdir = true;
    else if (each.kind === 'RUN') {
      for (const { env } of each.mounts) if (env !== undefined) names.set(env.text, undefined);
    } else if (each.kind === 'ARG' || each.kind === 'ENV') {
      for (const pair of each.pairs) {
        names.set(pair.name.text, pair);
        if (each.kind === 'ENV') environment.add(pair.name.text);
      }
    }
  }
  return { names, environment, shell, hasWorkdir };
}
