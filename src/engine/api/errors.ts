/** Owns the one form of a failed answer: `{"message":…}` with the status of the error's kind. Nothing else in the server chooses a status for an error. */

import type { ServerResponse } from 'node:http';
import { kindOf, messageOf } from '../../lib/errors.ts';
import { statusOf } from '../../lib/api/status.ts';

/** Writes the failure, or cuts the connection when an answer has begun already. */
export function sendError(response: ServerResponse, error: unknown): void {
  const kind = kindOf(error);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  if (kind === 'not-modified') {
    response.writeHead(304).end();
    return;
  }
  const body = `${JSON.stringify({ message: messageOf(error) })}\n`;
  response.writeHead(statusOf(kind), {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}
