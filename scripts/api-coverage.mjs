// Writes docs/api-coverage.md from the one route table; `--check` only compares. Run it on Node 24, which reads TypeScript.
import { readFileSync, writeFileSync } from 'node:fs';
import { coveragePage } from './lib/api-coverage.ts';

const path = new URL('../docs/api-coverage.md', import.meta.url);
const page = coveragePage();
if (!process.argv.includes('--check')) writeFileSync(path, page);
else if (readFileSync(path, 'utf8') !== page) {
  console.error(
    'docs/api-coverage.md is not what the route table says: run node scripts/api-coverage.mjs',
  );
  process.exit(1);
}
