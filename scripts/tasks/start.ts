// `npm start`: the tour. A private engine builds and runs a real app and its dev container, says what happened, and leaves nothing behind.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBundles } from '../lib/bundles.ts';
import { makeImages } from '../lib/images.ts';
import { buildNative } from '../lib/native.ts';
import { must, ROOT, run } from '../lib/shell.ts';

const EXAMPLE = join(ROOT, 'examples', 'todo');
const BASE = 'node:24-bookworm-slim';

/** One finished stop of the tour. */
interface Stop {
  readonly what: string;
  readonly milliseconds: number;
}

const stops: Stop[] = [];

async function stop<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const value = await work();
  const milliseconds = performance.now() - started;
  stops.push({ what, milliseconds });
  console.log(`  ✓ ${what} (${seconds(milliseconds)})`);
  return value;
}

function seconds(milliseconds: number): string {
  return milliseconds < 1000
    ? `${milliseconds.toFixed(0)} ms`
    : `${(milliseconds / 1000).toFixed(1)} s`;
}

async function answerOf(url: string, init?: RequestInit): Promise<string> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    try {
      const answer = await fetch(url, { ...init, signal: AbortSignal.timeout(2000) });
      return await answer.text();
    } catch (error) {
      if (performance.now() > deadline)
        throw new Error(`the app does not answer at ${url}`, { cause: error });
      await run('sleep', ['0.02']);
    }
  }
}

async function tour(
  pinnace: (...args: string[]) => Promise<string>,
  archive: string,
): Promise<void> {
  const socket = await stop('an engine of its own, in a private root', async () =>
    (await pinnace('engine', 'start')).trim(),
  );
  console.log(`    any docker client can use it: DOCKER_HOST=${socket}`);
  const kept = (await pinnace('images', '-q', BASE)) !== '';
  const origin = 'from the archive of `npm run images` (made of Debian packages: no internet)';
  if (kept) console.log(`    the base image ${BASE} is here from the last tour, ${origin}`);
  else await stop(`the base image ${BASE}, ${origin}`, () => pinnace('load', '-q', '-i', archive));
  await stop('examples/todo built cold: five stages, its tests among them', () =>
    pinnace('build', '--no-cache', '-t', 'todo', EXAMPLE),
  );
  const again = await stop('built again: every step from the cache', () =>
    pinnace('build', '-t', 'todo', EXAMPLE),
  );
  const cached = again.match(/Using cache/g)?.length ?? 0;
  console.log(`    ${cached} steps came from the cache`);
  const name = 'tour-todo';
  const url = await stop(
    'the app runs in a container and answers over HTTP at a published port',
    async () => {
      await pinnace('run', '-d', '--name', name, '-p', '127.0.0.1::8080', 'todo');
      const address = (await pinnace('port', name, '8080')).trim();
      await answerOf(`http://${address}/health`);
      return `http://${address}`;
    },
  );
  await answerOf(`${url}/todos`, { method: 'POST', body: JSON.stringify({ title: 'set sail' }) });
  console.log(`    POST then GET ${url}/todos: ${await answerOf(`${url}/todos`)}`);
  await stop('the app stopped and removed', () => pinnace('rm', '-f', '-v', name));
  const up = await stop('its dev container, from .devcontainer/devcontainer.json', () =>
    pinnace('up', '--json', EXAMPLE),
  );
  const { remoteUser, remoteWorkspaceFolder, containerId } = JSON.parse(up) as Record<
    string,
    string
  >;
  console.log(`    you would work in ${remoteWorkspaceFolder ?? ''} as ${remoteUser ?? ''}`);
  const tests = await stop('its test suite, inside', () =>
    pinnace('exec', '--workspace-folder', EXAMPLE, 'node', '--test', '--test-reporter=tap'),
  );
  console.log(`    ${/^# pass (\d+)/m.exec(tests)?.[1] ?? '0'} tests passed inside`);
  await stop('the dev container stopped and removed', () =>
    pinnace('rm', '-f', '-v', containerId ?? ''),
  );
  await pinnace('rmi', '-f', 'todo');
}

/** The store of the tour: its base image is kept for the next time, nothing else. */
const STORE = join(ROOT, '.cache', 'tour');

async function main(): Promise<void> {
  const started = performance.now();
  console.log(
    'Pinnace: a tour. First the tools, then an engine of its own builds and runs a real app.\n',
  );
  await Promise.all([buildNative(), buildBundles()]);
  const archive = (await makeImages([BASE])).get(BASE) ?? '';
  const runRoot = mkdtempSync(join(tmpdir(), 'pinnace-tour-'));
  const env = { PINNACE_DATA_ROOT: STORE, PINNACE_RUN_ROOT: runRoot };
  const pinnace = (...args: string[]): Promise<string> =>
    must(join(ROOT, 'bin', 'pinnace'), args, { output: 'collect', env });
  console.log(`ready after ${seconds(performance.now() - started)}; the tour begins\n`);
  try {
    await tour(pinnace, archive);
    await pinnace('engine', 'stop');
  } catch (error) {
    await pinnace('engine', 'purge', '--yes').catch((failed: unknown) => {
      console.error(String(failed));
    });
    throw error;
  } finally {
    await must('rm', ['-rf', runRoot]);
  }
  const whole = stops.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  console.log(
    `\nThat was the tour: ${stops.length} stops in ${seconds(whole)}. Nothing runs any more; the base image stays for the next time\n` +
      '(bin/pinnace engine purge --yes --data-root .cache/tour removes it).',
  );
  console.log('Next: bin/pinnace --help, bin/pinnace doctor, README.md');
}

await main();
