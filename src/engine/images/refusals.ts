/** Owns what a registry's refusal means: its own words and its status as one error of ours. Bodies are read with a bound. */

import type { Dispatcher } from 'undici';
import { EngineError } from '../../lib/errors.ts';
import { parseBounded } from '../../lib/image/manifest.ts';

type Answer = Dispatcher.ResponseData;

/** Bytes of an error's body that are read. */
export const MAX_ERROR = 64 * 1024;

/** The registry's own words for a status that is not a success (distribution specification, "Error Codes"). */
export async function failure(answer: Answer, asked: string): Promise<EngineError> {
  const { host } = new URL(asked);
  const { statusCode: status } = answer;
  const words = await registryWords(answer);
  const said = words === '' ? `${host} answered with status ${String(status)}` : words;
  if (status === 404) return new EngineError('not-found', said);
  if (status === 401)
    return new EngineError(
      'unauthorized',
      words === '' ? `${host} refuses the given credentials` : words,
    );
  if (status === 403) return new EngineError('forbidden', said);
  if (status === 429)
    return new EngineError(
      'unavailable',
      `${host} refuses more requests for now (status 429): ${words === '' ? 'wait a while, or log in' : words}`,
    );
  return new EngineError(status >= 500 ? 'unavailable' : 'invalid', `${host}: ${said}`);
}

/** Why a token server gave none. */
export async function noToken(answer: Answer, url: URL): Promise<EngineError> {
  const words = await registryWords(answer);
  const said = words === '' ? `it answered with status ${String(answer.statusCode)}` : words;
  const kind = answer.statusCode >= 500 ? 'unavailable' : 'unauthorized';
  return new EngineError(kind, `${url.host} gave no token: ${said}`);
}

async function registryWords(answer: Answer): Promise<string> {
  let text = '';
  try {
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8');
      if (text.length > MAX_ERROR) break;
    }
    const document = parseBounded(text, 'the error', MAX_ERROR);
    const errors =
      typeof document === 'object' && document !== null && 'errors' in document
        ? document.errors
        : undefined;
    if (!Array.isArray(errors)) return memberText(document, 'details') ?? '';
    const [first] = errors as unknown[];
    const code = (memberText(first, 'code') ?? '').toLowerCase().replaceAll('_', ' ');
    const message = memberText(first, 'message') ?? '';
    return [code, message]
      .filter((part) => part !== '')
      .join(': ')
      .slice(0, 500);
  } catch {
    return '';
  }
}

/** A member of an unknown document that is a text and not empty. */
export function memberText(value: unknown, name: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const member: unknown = (value as Record<string, unknown>)[name];
  return typeof member === 'string' && member !== '' ? member : undefined;
}
