/** Images that come and go in the real editor: push, pull, save, load, run interactive, prune; and what is left of those that are cancelled. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { type Registry, startRegistry } from '../../scripts/lib/registry.ts';
import { sendSignal } from '../support/children.ts';
import { copied } from './parts/clipboard.ts';
import { FileDialog } from './parts/file-dialog.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import type { Tree } from './parts/tree.ts';
import { type SlowRegistry, startSlowRegistry } from './support/slow-registry.ts';
import { type Bench, withWorkbench } from './rig.ts';

const shelf = mkdtempSync('/tmp/pinnace-registry-');
let registry: Registry;
let slow: SlowRegistry;

before(async () => {
  registry = await startRegistry(shelf);
  slow = await startSlowRegistry(registry.address);
});

after(async () => {
  await slow.close();
  await registry.stop();
  rmSync(shelf, { recursive: true, force: true });
});

const { test } = withWorkbench({
  engine: { images: ['busybox:latest', 'debian:bookworm-slim'] },
});

async function images({ workbench }: Bench): Promise<Tree> {
  await workbench.activityBar.open('Pinnace');
  return (await workbench.sideBar.only('Images')).tree;
}

/** Every file of the engine's images, finished or not. */
function stored({ dir }: Bench): string[] {
  return ['content', 'snapshots', 'tmp'].flatMap((part) =>
    readdirSync(join(dir, 'data-root', part)).map((name) => `${part}/${name}`),
  );
}

test('an image is pushed, removed and pulled again, and its digest copied', async (bench) => {
  const { workbench, docker } = bench;
  const name = `${registry.address}/team/box:1`;
  await docker('tag', 'busybox:latest', name);
  const tree = await images(bench);
  await tree.unfold(/team\/box/);
  await (await (await tree.row(/image .*team\/box:1/).waitFor()).contextMenu()).choose('Push');
  await new NotificationCenter(workbench.page).awaited(`Pushed ${name}.`);
  await docker('rmi', name);
  await tree.row(/team\/box/).waitFor('hidden');
  await (await workbench.sideBar.view('Images')).act('Pull…');
  await workbench.quickInput.enter(name);
  await new NotificationCenter(workbench.page).awaited(`newer image for ${name}`);
  await tree.unfold(/team\/box/);
  const row = await tree.row(/image .*team\/box:1/).waitFor();
  await (await row.contextMenu()).choose('Copy Digest');
  const digest = await copied(workbench.page, /team\/box@sha256:[0-9a-f]{64}$/);
  assert.match(await docker('inspect', '-f', '{{.RepoDigests}}', name), new RegExp(digest));
  await (await row.contextMenu()).choose('Copy ID');
  assert.equal(
    await copied(workbench.page, /^sha256:/),
    await docker('inspect', '-f', '{{.Id}}', name),
  );
});

test('a pull that is cancelled leaves nothing, and the next one is whole', async (bench) => {
  const { workbench, docker } = bench;
  const name = `${slow.address}/team/box:1`;
  await docker('rmi', `${registry.address}/team/box:1`, 'busybox:latest');
  const before = new Set(stored(bench));
  await images(bench);
  await (await workbench.sideBar.view('Images')).act('Pull…');
  await workbench.quickInput.enter(name);
  await until('the layer stops in its middle', () => slow.held > 0);
  const progress = await new NotificationCenter(workbench.page).awaited(`Pulling ${name}`);
  await progress.press('Cancel');
  await until('nobody waits for the layer', () => slow.held === 0);
  await progress.gone();
  // What was removed before may still go.
  await until('nothing is left', () => stored(bench).every((name) => before.has(name)));
  assert.doesNotMatch(await docker('images', '-a'), /team\/box/);
  await workbench.quickInput.command('Pinnace Images: Pull…');
  await workbench.quickInput.enter(`${registry.address}/team/box:1`);
  await until('the image is there', async () => (await docker('images')).includes('team/box'));
  await docker('tag', `${registry.address}/team/box:1`, 'busybox:latest');
  assert.equal(await docker('run', '--rm', '--network', 'none', 'busybox', 'echo', 'ok'), 'ok');
});

test('an image is saved to a file, and loaded from it', async (bench) => {
  const { workbench, docker, dir } = bench;
  const tree = await images(bench);
  await tree.unfold(/busybox/);
  await (
    await (await tree.row(/image busybox:latest/).waitFor()).contextMenu()
  ).choose('Save to File…');
  const dialog = new FileDialog(workbench.page);
  assert.match(await dialog.opened(), /\/busybox_latest\.tar$/);
  await dialog.choose(join(dir, 'busybox.tar'));
  await new NotificationCenter(workbench.page).awaited(/busybox\.tar is written: 2\.\d+ MB/);
  await docker('rmi', '-f', 'busybox:latest', `${registry.address}/team/box:1`);
  await tree.row(/busybox/).waitFor('hidden');
  await workbench.quickInput.command('Pinnace Images: Load from File…');
  await dialog.choose(join(dir, 'busybox.tar'));
  await new NotificationCenter(workbench.page).awaited('Loaded busybox:latest.');
  await tree.row(/busybox/).waitFor();
});

test('a save that is cancelled leaves what it was to replace', async (bench) => {
  const { workbench, dir, pinnace } = bench;
  const target = join(dir, 'busybox.tar');
  const before = readFileSync(target);
  const { stdout } = await pinnace('engine', 'status', '--json');
  const engine = (JSON.parse(stdout) as { readonly pid: number }).pid;
  const tree = await images(bench);
  await tree.unfold(/debian/);
  const row = await tree.row(/image debian:bookworm-slim/).waitFor();
  await (await row.contextMenu()).choose('Save to File…');
  // The engine is held as soon as the file is begun: the save stays in its middle.
  let isHeld = false;
  const watcher = watch(dir, (_event, name) => {
    if (name?.endsWith('.part') === true) isHeld ||= sendSignal(engine, 'SIGSTOP');
  });
  try {
    await new FileDialog(workbench.page).choose(target, { replace: true });
    await until('the engine is held', () => isHeld);
    const progress = await new NotificationCenter(workbench.page).awaited('Saving debian');
    await progress.press('Cancel');
    await progress.gone();
  } finally {
    watcher.close();
    sendSignal(engine, 'SIGCONT');
  }
  await until('the beginning is gone', () => !readdirSync(dir).some((n) => n.endsWith('.part')));
  assert.ok(readFileSync(target).equals(before));
});

test('an image is run with a command of its own, in a terminal', async (bench) => {
  const { workbench, docker } = bench;
  const tree = await images(bench);
  await tree.unfold(/busybox/);
  const row = await tree.row(/image busybox:latest/).waitFor();
  await (await row.contextMenu()).choose('Run Interactive…');
  const { quickInput } = workbench;
  for (const [step, text] of ['sh', 'talk', '', 'GREETING="hello there"'].entries()) {
    await until(`question ${step + 1}`, async () =>
      (await quickInput.title()).includes(`(${step + 1}/4)`),
    );
    await quickInput.enter(text);
  }
  await workbench.terminal.opened();
  await workbench.terminal.send('echo "$GREETING" > /said');
  await until(
    'what was typed has run',
    async () => (await docker('exec', 'talk', 'cat', '/said').catch(() => '')) === 'hello there',
  );
  await workbench.terminal.send('exit');
  await until('the container is gone', async () => (await docker('ps', '-aq')) === '');
});

test('images that nothing uses are removed after one question', async (bench) => {
  const { workbench, docker } = bench;
  await docker('create', '--name', 'keeper', '--network', 'none', 'busybox', 'true');
  await workbench.quickInput.command('Pinnace Images: Remove Unused…');
  await workbench.quickInput.pick('All Unused');
  assert.match(await workbench.dialog.text(), /Remove 1 image\?\s*debian:bookworm-slim/);
  await workbench.dialog.press('Remove');
  await new NotificationCenter(workbench.page).awaited(/Removed 1 image; \d+ MB came free/);
  assert.doesNotMatch(await docker('images'), /debian/);
  assert.match(await docker('images'), /busybox/);
  await docker('rm', 'keeper');
});
