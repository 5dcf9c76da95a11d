// A reporter for Node's test runner that prints one line a file, and every failure whole.
import { relative } from 'node:path';

function describe(error) {
  const cause = error?.cause ?? error;
  const text = cause?.stack ?? String(cause);
  return text
    .split('\n')
    .map((line) => `      ${line}`)
    .join('\n');
}

export default async function* failures(source) {
  for await (const event of source) {
    const { data } = event;
    if (event.type === 'test:fail') {
      const place =
        data.file === undefined ? '' : ` (${relative(process.cwd(), data.file)}:${data.line ?? 0})`;
      yield `  ✗ ${data.name}${place}\n${describe(data.details.error)}\n`;
    } else if (event.type === 'test:stderr' || event.type === 'test:stdout') {
      yield data.message;
    } else if (event.type === 'test:summary' && data.file !== undefined) {
      const { passed, tests } = data.counts;
      yield `  ${relative(process.cwd(), data.file)}: ${passed} of ${tests} in ${(data.duration_ms / 1000).toFixed(1)} s\n`;
    }
  }
}
