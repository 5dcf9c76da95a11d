// The build step: copies the app to dist/ and stamps the page with a hash of the sources.
import { createHash } from 'node:crypto';
import { cpSync, globSync, readFileSync, writeFileSync } from 'node:fs';

const hash = createHash('sha256');
for (const file of globSync('{src,public}/**/*.*').sort()) hash.update(readFileSync(file));
cpSync('src', 'dist/src', { recursive: true });
cpSync('public', 'dist/public', { recursive: true });
cpSync('package.json', 'dist/package.json');
const page = 'dist/public/index.html';
writeFileSync(
  page,
  readFileSync(page, 'utf8').replace('__BUILD__', hash.digest('hex').slice(0, 12)),
);
console.log('built dist/');
