/**
 * Owns what many rules want to know of one file: the stages' bases, the images that they come from, the variables in
 * force. Each answer is worked out once, when it is first asked for.
 */
import { expandWord } from '../../expand.ts';
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

/** The names in a stage's environment at its end. */
export interface StageNames {
  readonly names: ReadonlySet<string>;
  /** All names are known: the stage comes from scratch or from an image whose environment is known. */
  readonly complete: boolean;
}

export class Facts {
  readonly graph: StageGraph;
  private readonly file: Dockerfile;
  private readonly images: ImageFacts | undefined;
  private globals: ReadonlyMap<string, Pair> | undefined;
  private environments: StageNames[] | undefined;
  private readonly bases = new Map<FromInstruction, BaseImage>();
  private readonly stages = new Map<Instruction, Stage>();
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
    const found = expandedWords(instruction).filter(({ text }) => /[$"']/.test(text));
    this.words.set(instruction, found);
    return found;
  }

  /** The stage that a FROM begins. */
  stageOf(from: FromInstruction): Stage | undefined {
    return this.stages.get(from);
  }

  /** The stage that a stage is built on, undefined for an image. */
  baseOf(stage: Stage): Stage | undefined {
    const name = stage.from.image.text.includes('$')
      ? this.imageOf(stage.from).text
      : stage.from.image.text;
    return this.graph.resolve({ kind: 'base', name, at: stage });
  }

  /** The first stage of the chain that a stage is built on. */
  rootOf(stage: Stage): Stage {
    let root = stage;
    for (let base = this.baseOf(root); base !== undefined; base = this.baseOf(root)) root = base;
    return root;
  }

  /** A stage and those that it is built on, itself first. */
  chainOf(stage: Stage): Stage[] {
    const chain = [stage];
    for (let base = this.baseOf(stage); base !== undefined; base = this.baseOf(base))
      chain.push(base);
    return chain;
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
    const undeclared = new Set<string>();
    let open = false;
    const lookup = (name: string, depth: number): string | undefined => {
      const platform = PLATFORM_ARGUMENTS.includes(name) ? platformValue(name) : undefined;
      if (platform !== undefined) return platform;
      const pair = this.globalArguments.get(name);
      if (pair === undefined) {
        if (depth === 0 && !BUILT_IN_NAMES.includes(name)) undeclared.add(name);
        return undefined;
      }
      if (pair.value === undefined) {
        open = true;
        return undefined;
      }
      if (depth > 8 || pair.value.text.length > 4096) return pair.value.text;
      return this.expand(pair.value, (inner) =>
        inner === name ? undefined : lookup(inner, depth + 1),
      );
    };
    const text = this.expand(word, (name) => lookup(name, 0));
    return { text, undeclared: [...undeclared], open };
  }

  /** The names in the environment that a stage begins with. */
  inherited(stage: Stage): StageNames {
    const base = this.baseOf(stage);
    const own = base === undefined ? undefined : this.allEnvironments()[base.index];
    return own ?? this.imageNames(stage);
  }

  private allEnvironments(): readonly StageNames[] {
    if (this.environments !== undefined) return this.environments;
    const all: StageNames[] = [];
    this.environments = all;
    for (const stage of this.file.stages) {
      const before = this.inherited(stage);
      const names = new Set(before.names);
      for (const instruction of stage.instructions) {
        if (instruction.kind !== 'ENV') continue;
        for (const { name } of instruction.pairs) names.add(name.text);
      }
      all.push({ names, complete: before.complete });
    }
    return all;
  }

  private imageNames({ from }: Stage): StageNames {
    const { text } = this.imageOf(from);
    const found = text === 'scratch' ? [] : this.images?.environment(text);
    return { names: new Set([...BUILT_IN_NAMES, ...(found ?? [])]), complete: found !== undefined };
  }

  private expand(word: Word, environment: (name: string) => string | undefined): string {
    const { escapeCharacter: escape } = this.file.directives;
    return expandWord(word, environment, { escape, lines: this.file.lines }).value;
  }
}

function platformValue(name: string): string {
  return PLATFORM_VALUES.get(name.replace(/^(TARGET|BUILD)/, '')) ?? '';
}
