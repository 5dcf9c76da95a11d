// `npm run bench -- SUITE [--json]`: measures against the peers that are installed, in one run, as ratios of medians.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildBundles } from '../lib/bundles.ts';
import { buildNative } from '../lib/native.ts';
import { ROOT } from '../lib/shell.ts';
import type { Row } from '../../test/bench/measure.ts';

const [suite = '', ...flags] = process.argv.slice(2);
const file = join(ROOT, 'test', 'bench', `${suite}.ts`);
if (!/^[a-z]+$/.test(suite) || ['measure', 'carriers'].includes(suite) || !existsSync(file)) {
  console.error('npm run bench -- SUITE [--json]; the suites are: run, network, lsp, editor');
  process.exit(2);
}
await Promise.all([buildBundles(), buildNative()]);
const { bench } = (await import(file)) as { bench: () => Promise<Row[]> };
const rows = await bench();
if (flags.includes('--json')) {
  console.log(JSON.stringify(rows, null, 2));
} else {
  for (const { what, value, unit, peer, peerValue, ratio, limit, least } of rows) {
    const compared =
      peer === undefined
        ? ''
        : ` · ${peer} ${peerValue?.toFixed(2) ?? '?'} ${unit} · ratio ${ratio?.toFixed(2) ?? '?'}`;
    const bound =
      limit !== undefined ? ` (limit ${limit})` : least !== undefined ? ` (at least ${least})` : '';
    console.log(`${what}: ${value.toFixed(2)} ${unit}${compared}${bound}`);
  }
}
