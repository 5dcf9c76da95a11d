/** A dev container's life as its window sees it: a build that fails and is mended in a recovery container, the commands of its life, rebuilding with and without the cache. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { typed, windowOf } from './parts/inside.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

const REOPEN = 'Pinnace: Reopen in Container';
const SHOTS = process.env['PINNACE_SHOTS'];

const { test } = withWorkbench({
  folder: (folder) => {
    mkdirSync(join(folder, '.devcontainer'), { recursive: true });
    configure(folder, { build: { dockerfile: 'Dockerfile' } });
    dockerfile(folder, 'RUN echo it breaks here && exit 7');
  },
  settings: { 'pinnace.devcontainer.offer': false },
  engine: { images: ['busybox:latest'] },
});

test('a build that fails says where, and offers a container to mend it in', async (bench) => {
  const { workbench, folder, docker } = bench;
  await workbench.command(REOPEN);
  const error = await new NotificationCenter(workbench.page).awaited(/exit 7/);
  assert.deepEqual(await error.buttons(), [
    'Open Recovery Container',
    'Edit Configuration',
    'Show Log',
  ]);
  if (SHOTS !== undefined) await workbench.screenshot(join(SHOTS, 'failed.png'));
  const inner = await windowOf(workbench, () => error.press('Open Recovery Container'));
  await inner.page
    .getByRole('treeitem', { name: /Dockerfile|devcontainer/ })
    .first()
    .waitFor();
  await inner.terminal.create();
  const line = 'echo "$(hostname) $(id -un) $PWD" > where.txt';
  const id = await docker('ps', '-q');
  assert.equal(
    await typed(inner, line, join(folder, 'where.txt')),
    `${id} root /workspaces/folder\n`,
  );
  if (SHOTS !== undefined) await inner.screenshot(join(SHOTS, 'recovery.png'));
  await inner.page.close();
});

test('the commands of its life run in their order, those after waitFor in the open window', async (bench) => {
  const { workbench, folder, docker } = bench;
  const log = (word: string): string => `echo ${word} >> order.txt`;
  dockerfile(folder, 'RUN head -c 16 /dev/urandom | md5sum > /stamp');
  configure(folder, {
    build: { dockerfile: 'Dockerfile' },
    initializeCommand: ['sh', '-c', log('initialize')],
    onCreateCommand: log('create'),
    updateContentCommand: ['/bin/sh', '-c', log('update')],
    postCreateCommand: {
      a: `while [ ! -e gate ]; do sleep 0.1; done; ${log('a')}`,
      b: ['/bin/sh', '-c', 'echo said by b'],
    },
    postStartCommand: log('start'),
    postAttachCommand: log('attach'),
  });
  const inner = await windowOf(workbench, () => workbench.command(REOPEN));
  assert.match(await docker('ps', '--format', '{{.Image}}'), /^pinnace-dev-folder-/);
  const order = (): string => readFileSync(join(folder, 'order.txt'), 'utf8').replaceAll('\n', ' ');
  assert.equal(order(), 'initialize create update ');
  writeFileSync(join(folder, 'gate'), '');
  await until('all commands ran', () => order() === 'initialize create update a start attach ');
  await inner.page.close();
  const again = await windowOf(workbench, () => workbench.command(REOPEN));
  await until('another window was attached', () => order().endsWith('a start attach attach '));
  await again.page.close();
});

test('the log has what the commands said', async ({ workbench }) => {
  await workbench.command('Pinnace: Show Container Log');
  const output = workbench.page.locator('.part.panel');
  await output
    .getByText(/running\s+postAttachCommand/)
    .first()
    .waitFor();
  if (SHOTS !== undefined) await workbench.screenshot(join(SHOTS, 'log.png'));
});

test('a rebuild takes the image from the cache, unless it is told not to', async (bench) => {
  const { workbench, folder, docker } = bench;
  configure(folder, { build: { dockerfile: 'Dockerfile' } });
  const facts = async (): Promise<{ container: string; image: string }> => {
    const [container = '', image = ''] = (
      await docker('ps', '--no-trunc', '-q').then((id) =>
        id === '' ? '' : docker('inspect', '-f', '{{.Id}} {{.Image}}', id),
      )
    ).split(' ');
    return { container, image };
  };
  const before = await facts();
  const first = await windowOf(workbench, () => workbench.command('Pinnace: Rebuild Container'));
  const cached = await facts();
  assert.notEqual(cached.container, before.container);
  assert.equal(cached.image, before.image);
  await first.page.close();
  const second = await windowOf(workbench, () =>
    workbench.command('Pinnace: Rebuild Container Without Cache'),
  );
  const clean = await facts();
  assert.notEqual(clean.container, cached.container);
  assert.notEqual(clean.image, cached.image);
  await second.page.close();
});

test('a command that fails says its name and what ran; the container that was there stays until it can be replaced', async (bench) => {
  const { workbench, folder, docker } = bench;
  const before = await docker('ps', '-q');
  dockerfile(folder, 'RUN exit 9');
  await workbench.command('Pinnace: Rebuild Container');
  const broken = await new NotificationCenter(workbench.page).awaited(/exit 9/);
  assert.equal(await docker('ps', '-q'), before);
  await broken.close();
  dockerfile(folder, '');
  configure(folder, {
    build: { dockerfile: 'Dockerfile' },
    waitFor: 'postCreateCommand',
    postCreateCommand: { tools: 'echo no such tool >&2; exit 4' },
  });
  await workbench.command(REOPEN);
  const error = await new NotificationCenter(workbench.page).awaited(
    /postCreateCommand\.tools failed with status 4/,
  );
  await error.press('Show Log');
  await workbench.page
    .locator('.part.panel')
    .getByText(/no\s+such\s+tool/)
    .first()
    .waitFor();
});

test('a configuration that is not supported is named, with its line to edit', async (bench) => {
  const { workbench, folder } = bench;
  writeFileSync(
    join(folder, '.devcontainer', 'devcontainer.json'),
    '{\n  "name": "x",\n  "dockerComposeFile": "compose.yaml"\n}\n',
  );
  await workbench.command(REOPEN);
  const error = await new NotificationCenter(workbench.page).awaited(
    /devcontainer\.json:3: dockerComposeFile/,
  );
  await error.press('Edit Configuration');
  await workbench.editor.shows('dockerComposeFile');
  await workbench.page.getByText(/Ln 3, Col 1/).waitFor();
});

function configure(folder: string, config: object): void {
  const text = JSON.stringify(config, null, 2);
  writeFileSync(join(folder, '.devcontainer', 'devcontainer.json'), text);
}

function dockerfile(folder: string, line: string): void {
  writeFileSync(join(folder, '.devcontainer', 'Dockerfile'), `FROM busybox:latest\n${line}\n`);
}
