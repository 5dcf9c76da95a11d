/**
 * What rules see of the file and of the options: whoever looks at more than one instruction by itself is noted. Classes,
 * not literals with getters, each of which would have a shape of its own that outlives the tree it refers to.
 */
import type {
  Comment,
  Dockerfile,
  Instruction,
  PairInstruction,
  Problem,
  Stage,
} from '../syntax.ts';
import type { LintOptions } from './rule.ts';

/** The file as rules see it: its text, lines and directives are anyone's, all else is noted. */
export class WatchedFile implements Dockerfile {
  readonly text: string;
  readonly lines: Dockerfile['lines'];
  readonly directives: Dockerfile['directives'];
  private readonly file: Dockerfile;
  private readonly look: () => void;

  constructor(file: Dockerfile, look: () => void) {
    this.text = file.text;
    this.lines = file.lines;
    this.directives = file.directives;
    this.file = file;
    this.look = look;
  }

  get comments(): readonly Comment[] {
    this.look();
    return this.file.comments;
  }

  get instructions(): readonly Instruction[] {
    this.look();
    return this.file.instructions;
  }

  get stages(): readonly Stage[] {
    this.look();
    return this.file.stages;
  }

  get globalArgs(): readonly PairInstruction[] {
    this.look();
    return this.file.globalArgs;
  }

  get problems(): readonly Problem[] {
    this.look();
    return this.file.problems;
  }
}

/** The options as rules see them: what is known of the world outside of the file is noted when it is asked for. */
export class WatchedOptions implements LintOptions {
  readonly severities: LintOptions['severities'];
  readonly trustedRegistries: LintOptions['trustedRegistries'];
  readonly labelSchema: LintOptions['labelSchema'];
  readonly strictLabels: boolean;
  readonly disableIgnorePragma: boolean;
  private readonly options: LintOptions;
  private readonly look: () => void;

  constructor(options: LintOptions, look: () => void) {
    this.severities = options.severities;
    this.trustedRegistries = options.trustedRegistries;
    this.labelSchema = options.labelSchema;
    this.strictLabels = options.strictLabels;
    this.disableIgnorePragma = options.disableIgnorePragma;
    this.options = options;
    this.look = look;
  }

  get context(): LintOptions['context'] {
    const { context } = this.options;
    if (context !== undefined) this.look();
    return context;
  }

  get images(): LintOptions['images'] {
    const { images } = this.options;
    if (images !== undefined) this.look();
    return images;
  }
}
