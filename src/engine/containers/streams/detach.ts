/** The key sequence with which a person leaves an attached terminal. Pure. */

import { EngineError } from '../../../lib/errors.ts';

const DEFAULT_KEYS = 'ctrl-p,ctrl-q';

/** The bytes of `ctrl-p,ctrl-q`, `ctrl-@`, `a,b`. Throws `invalid`. */
export function parseKeys(text: string): Buffer {
  const bytes = (text === '' ? DEFAULT_KEYS : text).split(',').map((key) => {
    const control = /^ctrl-([a-z@[\\\]^_])$/.exec(key)?.[1];
    if (control !== undefined) return control.toUpperCase().charCodeAt(0) - 64;
    if (key.length !== 1 || key.charCodeAt(0) > 126) {
      throw new EngineError(
        'invalid',
        `invalid detach keys (${text}): unknown character: '${key}'`,
      );
    }
    return key.charCodeAt(0);
  });
  return Buffer.from(bytes);
}

/** A filter that holds back what may be the beginning of the sequence until it is not. */
export function detachFilter(keys: Buffer): (chunk: Buffer) => { pass: Buffer; detach: boolean } {
  let matched = 0;
  return (chunk) => {
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === keys[matched]) {
        matched++;
        if (matched === keys.length) return { pass: Buffer.from(pass), detach: true };
        continue;
      }
      if (matched > 0) pass.push(...keys.subarray(0, matched));
      matched = byte === keys[0] ? 1 : 0;
      if (matched === 0) pass.push(byte);
    }
    return { pass: Buffer.from(pass), detach: false };
  };
}
