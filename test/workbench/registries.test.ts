/** Registries in a real workbench: add one with a login, browse, copy a digest, pull, delete a tag, sign out and in. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before } from 'node:test';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { type Registry, startRegistry } from '../../scripts/lib/registry.ts';
import { command } from '../support/engine.ts';
import { copied } from './parts/clipboard.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import type { Workbench } from './parts/workbench.ts';
import { withWorkbench } from './rig.ts';

/** `open sesame`. */
const HTPASSWD = 'ali:$2y$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n';

const dir = mkdtempSync('/tmp/pinnace-registry-');
let registry: Registry;

before(async () => {
  await makeImages(['busybox:latest']);
  registry = await startRegistry(dir, undefined, { htpasswd: HTPASSWD });
  for (const tag of ['1.9', '1.10']) {
    const copied = await command([
      ...['skopeo', 'copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false'],
      ...['--dest-creds', 'ali:open sesame', `docker-archive:${archiveOf('busybox:latest')}`],
      `docker://${registry.address}/team/box:${tag}`,
    ]);
    assert.equal(copied.status, 0, copied.stderr);
  }
});

after(async () => {
  await registry.stop();
  rmSync(dir, { recursive: true, force: true });
});

const { test } = withWorkbench({ engine: {} });

/** Answers the two questions of a login. */
async function logIn({ page, quickInput }: Workbench, word: string): Promise<void> {
  await until('the name is asked for', async () =>
    (await quickInput.message()).includes('User name'),
  );
  await quickInput.enter('ali');
  const password = page.locator('.quick-input-widget:visible input[type=password]');
  await password.fill(word);
  await password.press('Enter');
  await password.waitFor({ state: 'hidden' });
}

test('a registry that wants a login is added and browsed', async ({ workbench }) => {
  await workbench.activityBar.open('Pinnace');
  const view = await workbench.sideBar.view('Registries');
  // The rows need room: the other views are folded.
  for (const title of ['Containers', 'Images', 'Dev Containers'])
    await workbench.sideBar.element
      .locator('.pane-header[aria-expanded=true]', { hasText: title })
      .first()
      .click();
  await view.tree.row(/Docker Hub/).waitFor();
  await view.act('Add Registry…');
  await workbench.quickInput.enter(registry.address);
  await logIn(workbench, 'open sesame');
  const row = await view.tree.row(/signed in as ali/).waitFor();
  await row.expand();
  await view.tree.unfold(/team\/box/);
  const texts = await view.tree.settled('the tags', (rows) => rows.some((text) => text === '1.9'));
  assert.ok(texts.indexOf('1.10') < texts.indexOf('1.9'));
});

test('the digest of a tag is copied', async ({ workbench }) => {
  const view = await workbench.sideBar.view('Registries');
  await (await view.tree.row(/tag 1\.9/).contextMenu()).choose('Copy Digest');
  const image = `docker://${registry.address}/team/box:1.9`;
  const creds = ['--tls-verify=false', '--creds', 'ali:open sesame'];
  const seen = await command(['skopeo', 'inspect', ...creds, '-f', '{{.Digest}}', image]);
  assert.equal(await copied(workbench.page, /^sha256:[0-9a-f]{64}$/), seen.stdout.trim());
});

test('a tag is pulled with the login', async ({ workbench, docker }) => {
  const view = await workbench.sideBar.view('Registries');
  await (await view.tree.row(/tag 1\.9/).contextMenu()).choose(/^Pull/);
  await until('the image is there', async () => {
    const list = await docker('images', '--format', '{{.Repository}}:{{.Tag}}');
    return list.includes(`${registry.address}/team/box:1.9`) ? true : undefined;
  });
});

test('deleting a tag names those that go with it', async ({ workbench }) => {
  const view = await workbench.sideBar.view('Registries');
  await (await view.tree.row(/tag 1\.9/).contextMenu()).choose('Delete Tag…');
  assert.match(await workbench.dialog.text(), /team\/box:1\.9/);
  await workbench.dialog.press('Delete');
  await until('the second question', async () =>
    (await workbench.dialog.text()).includes('1.10') ? true : undefined,
  );
  await workbench.dialog.press('Delete All');
  await view.tree.row(/tag 1\.9/).waitFor('hidden');
});

test('signing out locks the registry again, and signing in opens it', async ({ workbench }) => {
  const view = await workbench.sideBar.view('Registries');
  const named = new RegExp(registry.address);
  await (await view.tree.row(named).contextMenu()).choose('Sign Out');
  const row = await view.tree.row(/wants a login/).waitFor();
  assert.match(await row.label(), /click to try again/);
  await view.tree.row(named).act('Sign In');
  await logIn(workbench, 'wrong');
  await new NotificationCenter(workbench.page).awaited(/does not accept the login/);
  await view.tree.row(named).act('Sign In');
  await logIn(workbench, 'open sesame');
  await view.tree.row(/signed in as ali/).waitFor();
  await view.tree.row(/team\/box/).waitFor();
});
