/** SecretsUsedInArgOrEnv: passwords, keys and tokens do not go into ARG and ENV, where everyone with the image reads them. */
import type { PairInstruction } from '../../../syntax.ts';
import type { Rule, Scope } from '../../rule.ts';

const SECRET =
  /(^|_)(apikey|auth|credentials?|key|passwords?|passphrase|passwd|pword|secrets?|tokens?)(_|$)/i;
const HARMLESS =
  /(^|_)(public|pub|file|path|dir|url|fingerprint|version|sock)(_|$)|_?keys?_?server/i;

export const secretsUsedInArgOrEnv: Rule = {
  id: 'SecretsUsedInArgOrEnv',
  aliases: ['DL3064'],
  severity: 'warning',
  summary: 'Secrets do not go into ARG and ENV',
  fixable: false,
  checks: { ARG: check, ENV: check },
};

function check({ pairs, kind }: PairInstruction, { report }: Scope): void {
  for (const { name } of pairs) {
    if (!SECRET.test(name.text) || HARMLESS.test(name.text)) continue;
    const message = `${kind} keeps '${name.text}' in the image: give it to RUN with --mount=type=secret`;
    report({ message, range: name.range });
  }
}
