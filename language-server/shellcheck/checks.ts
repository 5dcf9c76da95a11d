/**
 * Owns which scripts ShellCheck is asked about and what it said: two at a time, each text once.
 * Nobody waits for it; what is no longer in the document is cancelled, and a program that fails is left alone.
 */
import type { Comment } from '../../src/client/lint/shellcheck/comments.ts';
import type { Input } from '../../src/client/lint/shellcheck/input.ts';
import type { Finding } from '../../src/client/lint/shellcheck/merge.ts';
import { findShellCheck, runShellCheck } from '../../src/client/lint/shellcheck/program.ts';
import { slots } from '../../src/lib/turns.ts';

export interface ChecksOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly log: (message: string) => void;
  /** Something more is known of a document. */
  readonly onFound: (uri: string) => void;
}

const AT_ONCE = 2;
const KNOWN_LIMIT = 1000;
/** After so many failures in a row the program is not started again until the settings change. */
const FAILURE_LIMIT = 3;

interface Asked {
  readonly wanted: ReadonlyMap<string, Input>;
  readonly controller: AbortController;
}

export class ShellChecks {
  private readonly options: ChecksOptions;
  private readonly known = new Map<string, readonly Comment[]>();
  private readonly asked = new Map<string, Asked>();
  private readonly slot = slots(AT_ONCE);
  private failures = 0;
  private setting: string | undefined;
  private program: string | undefined;

  constructor(options: ChecksOptions) {
    this.options = options;
  }

  /** Takes the setting `shellcheck`; true when there is a program to ask. */
  isOn(setting: string): boolean {
    if (setting !== this.setting) {
      this.setting = setting;
      this.program = findShellCheck(setting, this.options.env);
      this.failures = 0;
      const isMissing = this.program === undefined && setting !== '' && setting !== 'off';
      if (isMissing)
        this.options.log(
          `pinnace.languageServer.shellcheck: ${setting} is no program with an absolute path`,
        );
    }
    return this.program !== undefined && this.failures < FAILURE_LIMIT;
  }

  /** What is known of a document's scripts; the rest is asked for. */
  ask(uri: string, inputs: readonly Input[]): readonly Finding[] {
    const findings: Finding[] = [];
    const wanted = new Map<string, Input>();
    for (const input of inputs) {
      const comments = this.known.get(input.key);
      if (comments === undefined) wanted.set(input.key, input);
      else findings.push({ input, comments });
    }
    this.want(uri, wanted);
    return findings;
  }

  /** A document was closed: nothing more is to be found out about it. */
  forget(uri: string): void {
    const asked = this.asked.get(uri);
    asked?.controller.abort();
    this.asked.delete(uri);
  }

  private want(uri: string, wanted: ReadonlyMap<string, Input>): void {
    const before = this.asked.get(uri);
    const isNew = [...wanted.keys()].some((key) => before?.wanted.has(key) !== true);
    const isStale = before !== undefined && wanted.size === 0;
    if (!isNew && !isStale) return;
    this.forget(uri);
    if (wanted.size === 0) return;
    const controller = new AbortController();
    this.asked.set(uri, { wanted, controller });
    this.start(uri, wanted, controller.signal);
  }

  private start(uri: string, wanted: ReadonlyMap<string, Input>, signal: AbortSignal): void {
    let left = wanted.size;
    for (const input of wanted.values()) {
      void this.slot(async () => {
        await this.check(input, signal);
        left -= 1;
        if (left > 0 || signal.aborted) return;
        this.asked.delete(uri);
        this.options.onFound(uri);
      });
    }
  }

  /** Never rejects: a script that cannot be checked has no findings. */
  private async check(input: Input, signal: AbortSignal): Promise<void> {
    const { program } = this;
    if (isOver(signal) || program === undefined || this.failures >= FAILURE_LIMIT) return;
    try {
      this.remember(input.key, await runShellCheck(program, input, signal));
      this.failures = 0;
    } catch (error) {
      if (isOver(signal)) return;
      this.remember(input.key, []);
      this.failures += 1;
      const end = this.failures < FAILURE_LIMIT ? '' : '; it is not asked again';
      this.options.log(
        `ShellCheck failed: ${error instanceof Error ? error.message : String(error)}${end}`,
      );
    }
  }

  private remember(key: string, comments: readonly Comment[]): void {
    this.known.set(key, comments);
    if (this.known.size <= KNOWN_LIMIT) return;
    const [oldest] = this.known.keys();
    if (oldest !== undefined) this.known.delete(oldest);
  }
}

function isOver({ aborted }: AbortSignal): boolean {
  return aborted;
}
