/** InvalidSignal: STOPSIGNAL names a signal that Linux has. */
import { isSignal, SIGNAL_NAMES } from '../../../signals.ts';
import { nearestFix, nearHint } from '../../analysis/near.ts';
import type { Rule } from '../../rule.ts';

export const invalidSignal: Rule = {
  id: 'InvalidSignal',
  aliases: ['INVALID_SIGNAL', 'ARGUMENT_EXTRA'],
  severity: 'error',
  blocking: true,
  summary: 'STOPSIGNAL names a signal of Linux',
  fixable: true,
  checks: {
    STOPSIGNAL: ({ value: { text, range } }, { deferred, report }) => {
      if (text === '' || text.includes('$') || isSignal(text.replaceAll(/["']/g, ''))) return;
      const message = `there is no signal '${text}': a name such as SIGTERM or a number from 1 to 64${nearHint(text, SIGNAL_NAMES)}`;
      const severity = deferred ? 'warning' : 'error';
      report({ message, range, severity, ...nearestFix(text, range, SIGNAL_NAMES) });
    },
  },
};
