/** InvalidProtocol: EXPOSE knows tcp, udp and sctp. */
import { rangeInWord } from '../../../source.ts';
import { nearestFix, nearHint } from '../../analysis/near.ts';
import type { Rule } from '../../rule.ts';

const PROTOCOLS = ['tcp', 'udp', 'sctp'];

export const invalidProtocol: Rule = {
  id: 'InvalidProtocol',
  aliases: ['INVALID_PROTO'],
  severity: 'error',
  blocking: true,
  summary: 'The protocol of a port is tcp, udp or sctp',
  fixable: true,
  checks: {
    EXPOSE: ({ words }, { deferred, report }) => {
      for (const word of words) {
        const { text } = word;
        const slash = text.indexOf('/');
        const protocol = text.slice(slash + 1).replaceAll(/["'\\]/g, '');
        if (slash < 0 || text.includes('$') || PROTOCOLS.includes(protocol.toLowerCase())) continue;
        const range = rangeInWord(word, slash + 1, text.length);
        const message = `there is no protocol '${protocol}': tcp, udp or sctp${nearHint(protocol, PROTOCOLS)}`;
        const severity = deferred ? 'warning' : 'error';
        report({ message, range, severity, ...nearestFix(protocol, range, PROTOCOLS) });
      }
    },
  },
};
