/**
 * Owns the linting of open documents: the options that hold for each (its `.hadolint.yaml`, the client's settings, its
 * build context on the disk), and one result for each version. It reads files beside the document and sends nothing.
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import { ConfigurationFinder, type FoundConfiguration } from '../src/client/lint/configuration.ts';
import { contextFacts, contextPaths } from '../src/client/lint/context.ts';
import { thresholdOf, withConfiguration } from '../src/lib/dockerfile/lint/config/hadolint.ts';
import { DEFAULT_OPTIONS, lintDockerfile } from '../src/lib/dockerfile/lint/lint.ts';
import type { ContextFacts, LintOptions, LintProblem } from '../src/lib/dockerfile/lint/rule.ts';
import { ScriptMemory } from '../src/lib/dockerfile/lint/shell/read.ts';
import { rulesNamed } from '../src/lib/dockerfile/lint/table.ts';
import type { Dockerfile, Severity } from '../src/lib/dockerfile/syntax.ts';
import { treeOf } from './documents.ts';
import { isRecord, type Settings } from './settings.ts';

interface Linted {
  readonly version: number;
  readonly generation: number;
  readonly problems: readonly LintProblem[];
  /** Milliseconds that it took. */
  readonly took: number;
  readonly memory: ScriptMemory;
}

/** Milliseconds for which the disk is believed to stay as it is. */
const CONTEXT_LIFE = 2000;

interface KnownContext {
  readonly at: number;
  readonly sources: string;
  readonly facts: ContextFacts | undefined;
}

export class Linter {
  private readonly results = new WeakMap<TextDocument, Linted>();
  private finder = new ConfigurationFinder(process.env);
  private generation = 0;
  private readonly contexts = new Map<string, KnownContext>();

  /** Settings or files changed: everything is to be judged anew. */
  forget(): void {
    this.finder = new ConfigurationFinder(process.env);
    this.generation += 1;
    this.contexts.clear();
  }

  /** The problems of an open Dockerfile. */
  problemsOf(document: TextDocument, settings: Settings): readonly LintProblem[] {
    const { version } = document;
    const known = this.results.get(document);
    if (known?.version === version && known.generation === this.generation) return known.problems;
    const file = treeOf(document);
    const started = performance.now();
    const memory = known?.memory ?? new ScriptMemory();
    const options = this.optionsFor(document.uri, file, settings);
    const { problems } = lintDockerfile(file, options, memory);
    const took = performance.now() - started;
    this.results.set(document, { version, generation: this.generation, problems, took, memory });
    return problems;
  }

  /** How long the last judging took, so that big files are not judged at every keystroke. */
  costOf(document: TextDocument): number {
    return this.results.get(document)?.took ?? 0;
  }

  /** The configuration that holds for a document; undefined for those that are in no file. */
  configurationOf(uri: string): FoundConfiguration | undefined {
    const path = pathOf(uri);
    return path === undefined ? undefined : this.finder.forFolder(dirname(path));
  }

  private optionsFor(uri: string, file: Dockerfile, settings: Settings): LintOptions {
    const path = pathOf(uri);
    const overrides = severitiesIn(settings.section['rules']);
    if (path === undefined) return { ...DEFAULT_OPTIONS, severities: overrides };
    const { configuration } = this.finder.forFolder(dirname(path));
    const options = withConfiguration(DEFAULT_OPTIONS, configuration);
    const severities = new Map([...options.severities, ...overrides]);
    return { ...options, severities, context: this.contextOf(path, file) };
  }

  /** The build context's facts; looked at again when COPY takes other files, and every two seconds. */
  private contextOf(path: string, file: Dockerfile): ContextFacts | undefined {
    const now = performance.now();
    const sources = contextPaths(file).join('\n');
    const known = this.contexts.get(path);
    if (known !== undefined && known.sources === sources && now - known.at < CONTEXT_LIFE)
      return known.facts;
    const facts = contextFacts(path, file);
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
    for (const { id } of rulesNamed(name)) severities.set(id, chosen);
  }
  return severities;
}

function levelOf(name: string): Severity | 'off' | undefined {
  const level = name === 'off' ? 'off' : thresholdOf(name);
  return level === 'none' ? undefined : level;
}
