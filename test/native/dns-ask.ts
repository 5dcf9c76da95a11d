/** Asks a name server, run as a program in a container's namespace: `node dns-ask.ts SERVER KIND NAME [TRIES]`; prints the answer, or the error's code, as JSON. */

import { Resolver } from 'node:dns/promises';

const [server = '', kind = 'A', name = '', tries = '1'] = process.argv.slice(2);
const resolver = new Resolver({ timeout: 6000, tries: Number(tries) });
resolver.setServers([server]);

async function ask(): Promise<unknown> {
  switch (kind) {
    case 'A':
      return resolver.resolve4(name);
    case 'AAAA':
      return resolver.resolve6(name);
    case 'PTR':
      return resolver.reverse(name);
    default:
      return resolver.resolveTxt(name);
  }
}

try {
  console.log(JSON.stringify(await ask()));
} catch (error) {
  console.log(JSON.stringify((error as { code?: string }).code ?? String(error)));
}
