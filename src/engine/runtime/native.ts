/** Runs the verbs of the native helper: JSON in, JSON or one error object out (docs/native.md). The only file that starts processes; it never interprets a verb's request or answer. */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { PassThrough } from 'node:stream';
import type { Readable, Writable } from 'node:stream';
import { ERROR_KINDS, EngineError } from '../../lib/errors.ts';
import type { ErrorKind } from '../../lib/errors.ts';
import type { CallOptions, Native } from './types.ts';

/** An answer larger than this is refused: no verb's JSON comes near. */
const MAX_ANSWER = 64 << 20;
const MAX_ERROR_TEXT = 64 << 10;
/** How long an aborted helper may clean up before it is killed. */
const KILL_AFTER_MS = 3000;

/** The helper at `path`. Errors carry the helper's kind, errno and path; a helper that cannot be started is `unavailable`. */
export function createNative(path: string): Native {
  return {
    path,
    call: async <T>(verb: readonly string[], request: unknown, options: CallOptions = {}) => {
      const child = launch(path, verb, { request, ...options, answerOn: 1 });
      return (await settle(child, options.signal)) as T;
    },
    stream: <T>(verb: readonly string[], request: unknown, options: CallOptions = {}) => {
      const child = launch(path, verb, { request, ...options, answerOn: 3 });
      const output = new PassThrough({ highWaterMark: 256 << 10 });
      const source = child.process.stdout;
      source?.pipe(output, { end: false });
      output.once('close', () => {
        if (!output.readableEnded) stop(child.process);
      });
      const done = settle(child, options.signal).then(
        (answer) => {
          output.end();
          return answer as T;
        },
        (error: unknown) => {
          output.destroy(error instanceof Error ? error : new Error(String(error)));
          throw error;
        },
      );
      done.catch(() => undefined);
      return { output, done };
    },
  };
}

/** The error line of the contract as an error of ours; anything else on standard error is an internal failure. */
function parseFailure(verb: string, text: string, status: string): EngineError {
  const line = text.trim().split('\n').at(-1) ?? '';
  const failure = errorObject(line);
  if (failure !== undefined) return failure;
  const detail = text.trim() === '' ? '' : `: ${text.trim().slice(0, 2000)}`;
  return new EngineError(
    'internal',
    `the native helper's verb ${verb} ended with ${status}${detail}`,
  );
}

/** `{"error":{…}}`, as text or parsed, as an EngineError; undefined when it is not one. */
export function errorObject(line: unknown): EngineError | undefined {
  let value: unknown = line;
  if (typeof line === 'string') {
    try {
      value = JSON.parse(line);
    } catch {
      return undefined;
    }
  }
  if (typeof value !== 'object' || value === null || !('error' in value)) return undefined;
  const error = value.error;
  if (typeof error !== 'object' || error === null || !('message' in error)) return undefined;
  const facts: { errno?: string; path?: string } = {};
  if ('errno' in error && typeof error.errno === 'string') facts.errno = error.errno;
  if ('path' in error && typeof error.path === 'string') facts.path = error.path;
  const kind = 'kind' in error ? ERROR_KINDS.find((known) => known === error.kind) : undefined;
  return new EngineError(
    kind ?? ('internal' satisfies ErrorKind),
    describe(String(error.message), facts),
    facts,
  );
}

/** What an errno means to somebody who can mend it. */
const IN_WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk, or no more files may be made there',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
};

/** The message with the path and errno, unless it names them already. */
function describe(message: string, facts: { errno?: string; path?: string }): string {
  let text = message;
  if (facts.path !== undefined && !text.includes(facts.path)) text += `: ${facts.path}`;
  const { errno } = facts;
  if (errno !== undefined && !text.includes(errno))
    text += ` (${errno}${Object.hasOwn(IN_WORDS, errno) ? `: ${IN_WORDS[errno] ?? ''}` : ''})`;
  return text;
}

interface Launched {
  readonly process: ChildProcess;
  readonly verb: string;
  readonly answer: Collector;
  readonly errors: Collector;
  /** Set when feeding standard input failed by the fault of its source. */
  inputError: Error | undefined;
}

interface LaunchOptions extends CallOptions {
  readonly request: unknown;
  readonly answerOn: 1 | 3;
}

function launch(path: string, verb: readonly string[], options: LaunchOptions): Launched {
  options.signal?.throwIfAborted();
  const text = JSON.stringify(options.request ?? {});
  const args = options.input === undefined ? [...verb] : [...verb, '--request', text];
  const child = spawn(path, args, {
    stdio: ['pipe', 'pipe', 'pipe', ...(options.answerOn === 3 ? (['pipe'] as const) : [])],
    env: process.env,
  });
  const answerStream = (options.answerOn === 3 ? child.stdio[3] : child.stdout) as Readable | null;
  const launched: Launched = {
    process: child,
    verb: verb.join(' '),
    answer: collect(answerStream, MAX_ANSWER),
    errors: collect(child.stderr, MAX_ERROR_TEXT),
    inputError: undefined,
  };
  const stdin: Writable | null = child.stdin;
  // The helper may end before it read everything: its own error tells why, not EPIPE here.
  stdin.on('error', () => undefined);
  if (options.input === undefined) stdin.end(text);
  else feed(options.input, stdin, launched);
  return launched;
}

function feed(input: Readable, stdin: Writable, launched: Launched): void {
  input.once('error', (error) => {
    launched.inputError = error;
    stop(launched.process);
  });
  input.once('close', () => {
    if (input.readableEnded || launched.inputError !== undefined) return;
    launched.inputError = new EngineError('cancelled', 'the input ended before it was complete');
    stop(launched.process);
  });
  stdin.once('close', () => {
    input.unpipe(stdin);
    input.resume();
  });
  input.pipe(stdin);
}

interface Collector {
  text(): string;
  readonly overflow: boolean;
}

function collect(stream: Readable | null, limit: number): Collector {
  const chunks: Buffer[] = [];
  let size = 0;
  let overflow = false;
  stream?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else overflow = true;
  });
  stream?.on('error', () => undefined);
  return {
    text: () => Buffer.concat(chunks).toString('utf8'),
    get overflow() {
      return overflow;
    },
  };
}

function settle(launched: Launched, signal: AbortSignal | undefined): Promise<unknown> {
  const { process: child, verb } = launched;
  return new Promise((resolve, reject) => {
    const abort = () => stop(child);
    signal?.addEventListener('abort', abort, { once: true });
    child.once('error', (error) => {
      signal?.removeEventListener('abort', abort);
      reject(
        new EngineError(
          'unavailable',
          `the native helper ${child.spawnfile} cannot be started: ${error.message}`,
          {
            cause: error,
          },
        ),
      );
    });
    child.once('close', (code, killed) => {
      signal?.removeEventListener('abort', abort);
      if (signal?.aborted === true) {
        reject(new EngineError('cancelled', `${verb} was cancelled`, { cause: signal.reason }));
      } else if (launched.inputError !== undefined) reject(launched.inputError);
      else if (code !== 0)
        reject(parseFailure(verb, launched.errors.text(), killed ?? `status ${String(code)}`));
      else if (launched.answer.overflow)
        reject(new EngineError('internal', `${verb}: the answer is too large`));
      else parse(launched.answer.text(), verb, { resolve, reject });
    });
  });
}

function parse(
  text: string,
  verb: string,
  to: { resolve: (value: unknown) => void; reject: (error: Error) => void },
): void {
  try {
    to.resolve(text.trim() === '' ? {} : JSON.parse(text));
  } catch (error) {
    to.reject(
      new EngineError('internal', `${verb}: the answer is not JSON: ${text.slice(0, 200)}`, {
        cause: error,
      }),
    );
  }
}

function stop(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  timer.unref();
  child.once('exit', () => clearTimeout(timer));
}
