/** Registries in a real workbench: add one with a login, browse, copy a digest, pull, delete a tag, sign out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { after, before } from 'node:test';
import { archiveOf, makeImages } from '../../scripts/lib/images.ts';
import { type Registry, startRegistry } from '../../scripts/lib/registry.ts';
import { command } from '../support/engine.ts';
import { until } from './parts/patience.ts';
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
  await until('the name is asked for', async () =>
    (await workbench.quickInput.message()).includes('User name') ? true : undefined,
  );
  await workbench.quickInput.enter('ali');
  const password = workbench.page.locator('.quick-input-widget:visible input[type=password]');
  await password.fill('open sesame');
  await password.press('Enter');
  const row = await view.tree.row(/signed in as ali/).waitFor();
  await row.expand();
  await (await view.tree.row(/team\/box/).waitFor()).expand();
  const texts = await view.tree.settled('the tags', (rows) => rows.some((text) => text === '1.9'));
  assert.ok(texts.indexOf('1.10') < texts.indexOf('1.9'));
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

test('signing out locks the registry again, and the row tries again', async ({ workbench }) => {
  const view = await workbench.sideBar.view('Registries');
  await (await view.tree.row(new RegExp(registry.address)).contextMenu()).choose('Sign Out');
  const row = await view.tree.row(/wants a login/).waitFor();
  assert.match(await row.label(), /click to try again/);
});
