/** InvalidSignal: STOPSIGNAL names a signal that Linux has. */
import { nearestFix, nearHint } from '../../analysis/near.ts';
import type { Rule } from '../../rule.ts';

const NAMES = (
  'HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU ' +
  'XFSZ VTALRM PROF WINCH IO PWR SYS IOT CLD POLL UNUSED'
)
  .split(' ')
  .map((name) => `SIG${name}`);
const KNOWN = new Set(NAMES);

export const invalidSignal: Rule = {
  id: 'InvalidSignal',
  aliases: ['INVALID_SIGNAL'],
  severity: 'error',
  summary: 'STOPSIGNAL names a signal of Linux',
  fixable: true,
  checks: {
    STOPSIGNAL: ({ value: { text, range } }, { report }) => {
      if (text === '' || text.includes('$') || isSignal(text.replaceAll(/["']/g, ''))) return;
      const message = `there is no signal '${text}': a name such as SIGTERM or a number from 1 to 64${nearHint(text, NAMES)}`;
      report({ message, range, ...nearestFix(text, range, NAMES) });
    },
  },
};

function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 64;
  const name = text.toUpperCase();
  const full = name.startsWith('SIG') ? name : `SIG${name}`;
  return KNOWN.has(full) || /^SIGRTM(IN(\+\d{1,2})?|AX(-\d{1,2})?)$/.test(full);
}
