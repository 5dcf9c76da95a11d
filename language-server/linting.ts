/**
 * Owns the linting of open documents: the options that hold for each (its `.hadolint.yaml`, the client's settings, its
 * build context on the disk), and one result for each version. It reads files beside the document and sends nothing.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { RememberedDisk } from '../src/client/build/disk.ts';
import { ConfigurationFinder, type FoundConfiguration } from '../src/client/lint/configuration.ts';
import { contextFacts, contextPaths } from '../src/client/lint/context.ts';
import { thresholdOf, withConfiguration } from '../src/lib/dockerfile/lint/config/hadolint.ts';
import { DEFAULT_OPTIONS, lintInSteps } from '../src/lib/dockerfile/lint/lint.ts';
import { LintMemory } from '../src/lib/dockerfile/lint/memory.ts';
import type {
  ContextFacts,
  ImageFacts,
  LintOptions,
  LintProblem,
} from '../src/lib/dockerfile/lint/rule.ts';
import { rulesNamed } from '../src/lib/dockerfile/lint/table.ts';
import type { Dockerfile, Severity } from '../src/lib/dockerfile/syntax.ts';
import { isRecord } from '../src/lib/record.ts';
import { treeOf } from './documents.ts';
import type { Settings } from './settings.ts';

interface Linted {
  readonly version: number;
  readonly generation: number;
  readonly problems: readonly LintProblem[];
  /** Milliseconds that it took. */
  readonly took: number;
}

/** Milliseconds for which the disk is believed to stay as it is. */
const CONTEXT_LIFE = 2000;

/** Nothing is known of any image. */
export const NO_FACTS: ImageFacts = {
  environment: () => undefined,
  platform: () => undefined,
  user: () => undefined,
  shell: () => undefined,
};

/** A judging that is under way. */
interface Running extends Pick<Linted, 'version' | 'generation'> {
  readonly steps: ReturnType<typeof lintInSteps>;
  took: number;
}

/** An open document's last result, and what is under way. No weak map: the short runs of the garbage collector keep its values. */
interface Judging {
  linted: Linted | undefined;
  running: Running | undefined;
}

interface KnownContext {
  readonly at: number;
  readonly sources: string;
  readonly facts: ContextFacts | undefined;
}

export class Linter {
  private readonly judgings = new Map<TextDocument, Judging>();
  private finder = new ConfigurationFinder(process.env);
  private generation = 0;
  /** Of all documents: they often have instructions in common, and a file that is opened again has all of them. */
  private readonly memory = new LintMemory();
  private readonly disk = new RememberedDisk({ life: CONTEXT_LIFE });
  private readonly contexts = new Map<string, KnownContext>();

  private readonly images: () => ImageFacts;

  /** `images`: what is known of base images at the moment, for one judging. */
  constructor(images: () => ImageFacts = () => NO_FACTS) {
    this.images = images;
  }

  /** A document was closed, or is asked for no more: what is kept of it goes. */
  drop(document: TextDocument): void {
    this.judgings.delete(document);
  }

  /** More is known of base images: files are to be judged anew. */
  forgetResults(): void {
    this.generation += 1;
  }

  /** Settings or files changed: everything is to be judged anew. */
  forget(): void {
    this.finder = new ConfigurationFinder(process.env);
    this.generation += 1;
    this.contexts.clear();
    this.disk.forget();
  }

  /** The problems of an open Dockerfile. */
  problemsOf(document: TextDocument, settings: Settings): readonly LintProblem[] {
    const known = this.resultOf(document);
    if (known !== undefined) return known.problems;
    this.work(document, settings, Infinity);
    return this.resultOf(document)?.problems ?? [];
  }

  /** Judges for some milliseconds, from where the last call for this version left off; `more` is to be called again. */
  work(document: TextDocument, settings: Settings, milliseconds: number): 'done' | 'more' {
    if (this.resultOf(document) !== undefined) return 'done';
    const started = performance.now();
    const running = this.runningOf(document, settings);
    for (;;) {
      const { done, value } = running.steps.next();
      const took = performance.now() - started;
      if (done === true) {
        const { version, generation } = running;
        const { problems } = value;
        const linted = { version, generation, problems, took: running.took + took };
        this.judgings.set(document, { linted, running: undefined });
        return 'done';
      }
      if (took < milliseconds) continue;
      running.took += took;
      return 'more';
    }
  }

  private resultOf(document: TextDocument): Linted | undefined {
    const known = this.judgings.get(document)?.linted;
    const isCurrent = known?.version === document.version && known.generation === this.generation;
    return isCurrent ? known : undefined;
  }

  private runningOf(document: TextDocument, settings: Settings): Running {
    const { version } = document;
    const { generation } = this;
    const judging = this.judgings.get(document) ?? { linted: undefined, running: undefined };
    const before = judging.running;
    if (before?.version === version && before.generation === generation) return before;
    const file = treeOf(document);
    const steps = lintInSteps(file, this.optionsFor(document.uri, file, settings), this.memory);
    const running = { version, generation, steps, took: 0 };
    judging.running = running;
    this.judgings.set(document, judging);
    return running;
  }

  /** How long the last judging took, so that big files are not judged at every keystroke. */
  costOf(document: TextDocument): number {
    return this.judgings.get(document)?.linted?.took ?? 0;
  }

  /** The configuration that holds for a document; undefined for those that are in no file. */
  configurationOf(uri: string): FoundConfiguration | undefined {
    const path = pathOf(uri);
    return path === undefined ? undefined : this.finder.forFolder(dirname(path));
  }

  /** The options that hold for an address, but for what is on the disk around it. */
  rulesFor(uri: string, settings: Settings): LintOptions {
    const path = pathOf(uri);
    const overrides = severitiesIn(settings.section['rules']);
    if (path === undefined) return { ...DEFAULT_OPTIONS, severities: overrides };
    const { configuration } = this.finder.forFolder(dirname(path));
    const options = withConfiguration(DEFAULT_OPTIONS, configuration);
    const severities = new Map([...options.severities, ...overrides]);
    return { ...options, severities };
  }

  private optionsFor(uri: string, file: Dockerfile, settings: Settings): LintOptions {
    const options = { ...this.rulesFor(uri, settings), images: this.images() };
    const path = pathOf(uri);
    return path === undefined ? options : { ...options, context: this.contextOf(path, file) };
  }

  /** The build context's facts; looked at again when COPY takes other files, and every two seconds. */
  private contextOf(path: string, file: Dockerfile): ContextFacts | undefined {
    const now = performance.now();
    const paths = contextPaths(file);
    const sources = paths.join('\n');
    const known = this.contexts.get(path);
    if (known !== undefined && known.sources === sources && now - known.at < CONTEXT_LIFE)
      return known.facts;
    const facts = contextFacts(path, paths, { disk: this.disk });
    this.contexts.set(path, { at: now, sources, facts });
    return facts;
  }
}

/** A document's path on the disk; undefined for those of other schemes and of other machines. */
function pathOf(uri: string): string | undefined {
  if (!uri.startsWith('file:')) return undefined;
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined; // An address with a host: nothing of this machine.
  }
}

/** The setting `rules`: a level for each rule's id or alias. Unknown names and levels are passed over. */
export function severitiesIn(value: unknown): Map<string, Severity | 'off'> {
  const severities = new Map<string, Severity | 'off'>();
  for (const [name, level] of isRecord(value) ? Object.entries(value) : []) {
    const chosen = typeof level === 'string' ? levelOf(level) : undefined;
    if (chosen === undefined) continue;
    const rules = rulesNamed(name);
    for (const { id } of rules) severities.set(id, chosen);
    if (rules.length === 0 && /^SC\d{4}$/i.test(name)) severities.set(name.toUpperCase(), chosen);
  }
  return severities;
}

function levelOf(name: string): Severity | 'off' | undefined {
  const level = name === 'off' ? 'off' : thresholdOf(name);
  return level === 'none' ? undefined : level;
}
