/** Maps the closed set of error kinds to HTTP statuses and back, once for server and client. */

import type { ErrorKind } from '../errors.ts';

const STATUS: Readonly<Record<ErrorKind, number>> = {
  'not-found': 404,
  conflict: 409,
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  unavailable: 503,
  'not-modified': 304,
  'not-implemented': 501,
  cancelled: 499,
  internal: 500,
};

export function statusOf(kind: ErrorKind): number {
  return STATUS[kind];
}

/** The kind of an answer's status; what no kind claims is invalid (4xx) or internal. */
export function kindOfStatus(status: number): ErrorKind {
  for (const [kind, known] of Object.entries(STATUS)) {
    if (known === status) return kind as ErrorKind;
  }
  return status >= 400 && status < 500 ? 'invalid' : 'internal';
}
