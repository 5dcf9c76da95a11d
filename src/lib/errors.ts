/** The one error of the whole product: a closed set of kinds, mapped once each to an HTTP status, a CLI exit code and an editor message. */

export const ERROR_KINDS = [
  'not-found',
  'conflict',
  'invalid',
  'unauthorized',
  'forbidden',
  'unavailable',
  'not-modified',
  'not-implemented',
  'cancelled',
  'internal',
] as const;

export type ErrorKind = (typeof ERROR_KINDS)[number];

/** Facts that a message alone would lose: the system's errno name and the path it is about. */
export interface ErrorFacts {
  readonly cause?: unknown;
  readonly errno?: string;
  readonly path?: string;
}

/** An error that names its object and the way out. */
export class EngineError extends Error {
  readonly kind: ErrorKind;
  readonly errno: string | undefined;
  readonly path: string | undefined;

  constructor(kind: ErrorKind, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'EngineError';
    this.kind = kind;
    this.errno = facts.errno;
    this.path = facts.path;
  }
}

/** The kind of any thrown value; what is not ours is internal, an abort is cancelled. */
export function kindOf(error: unknown): ErrorKind {
  if (error instanceof EngineError) return error.kind;
  if (error instanceof Error && error.name === 'AbortError') return 'cancelled';
  return 'internal';
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
