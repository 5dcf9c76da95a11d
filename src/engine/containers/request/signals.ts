/** Signal names and numbers of Linux (signal(7), x86 and ARM). Pure. */

import { EngineError } from '../../../lib/errors.ts';

const NAMES = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG ' +
  'XCPU XFSZ VTALRM PROF WINCH IO PWR SYS'
).split(' ');
const ALIASES: Readonly<Record<string, number>> = { IOT: 6, CLD: 17, POLL: 29, UNUSED: 31 };
const RTMIN = 34;
const RTMAX = 64;

export const SIGKILL = 9;
export const SIGTERM = 15;

/** The number of `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3`. Throws `invalid`. */
export function parseSignal(text: string): number {
  const bad = () => new EngineError('invalid', `invalid signal: ${text}`);
  if (/^[0-9]+$/.test(text)) {
    const number = Number(text);
    if (number < 1 || number > RTMAX) throw bad();
    return number;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const index = NAMES.indexOf(name);
  if (index >= 0) return index + 1;
  const alias = ALIASES[name];
  if (alias !== undefined) return alias;
  const realtime = /^RT(MIN|MAX)(?:([+-])([0-9]+))?$/.exec(name);
  if (realtime === null) throw bad();
  const [, base, sign, offset] = realtime;
  const number = (base === 'MIN' ? RTMIN : RTMAX) + (sign === '-' ? -1 : 1) * Number(offset ?? 0);
  if (number < RTMIN || number > RTMAX) throw bad();
  return number;
}
