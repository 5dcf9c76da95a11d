/** The explorer on Debian's dockerd: images from and to a registry and files, volumes, networks, and a build from the editor. */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REGISTRY, withDockerd } from './actions/dockerd.ts';
import { BuildView } from './parts/build-view.ts';
import { FileDialog } from './parts/file-dialog.ts';
import { NotificationCenter } from './parts/notification-center.ts';
import { until } from './parts/patience.ts';
import type { Row, Tree } from './parts/tree.ts';
import type { Bench } from './rig.ts';

const { test } = withDockerd({
  registry: true,
  folder: (folder) => {
    copyFileSync('/bin/busybox', join(folder, 'busybox'));
    writeFileSync(
      join(folder, 'Dockerfile'),
      'FROM scratch\nCOPY busybox /bin/sh\nRUN echo said && echo done > /made\nLABEL of=ours\n',
    );
  },
});

async function view({ workbench }: Bench, title: string): Promise<Tree> {
  await workbench.activityBar.open('Pinnace');
  return (await workbench.sideBar.only(title)).tree;
}

/** The row of an image, beneath that of its repository. */
async function imageRow(bench: Bench, repository: string, tag: string): Promise<Row> {
  const tree = await view(bench, 'Images');
  await tree.unfold(new RegExp(`^repository ${repository}`));
  return tree.row(new RegExp(`^image ${repository}:${tag}`)).waitFor();
}

test('an image is pulled, tagged, pushed, run and removed', async (bench) => {
  const { workbench, docker } = bench;
  const { quickInput } = workbench;
  const center = new NotificationCenter(workbench.page);
  await workbench.command('Pinnace Images: Pull…');
  await quickInput.enter(`${REGISTRY}/team/box:1`);
  await center.awaited(/newer image for 127\.0\.0\.1:5000\/team\/box:1/);
  await (await imageRow(bench, `${REGISTRY}/team/box`, '1')).choose('Tag…');
  await quickInput.enter(`${REGISTRY}/team/shop:2`);
  await (await imageRow(bench, `${REGISTRY}/team/shop`, '2')).choose('Push');
  await center.awaited(/Pushed 127\.0\.0\.1:5000\/team\/shop:2/);
  await docker('rmi', `${REGISTRY}/team/shop:2`);
  await docker('pull', '-q', `${REGISTRY}/team/shop:2`);
  await (await imageRow(bench, `${REGISTRY}/team/box`, '1')).choose('Run');
  await center.awaited(/(?:runs|ran) 127\.0\.0\.1:5000\/team\/box:1/);
  const [made = ''] = (await docker('ps', '-aq')).split('\n');
  await docker('rm', '-f', made);
  await (await imageRow(bench, `${REGISTRY}/team/shop`, '2')).choose('Remove…');
  await workbench.dialog.press('Remove');
  await until('the name is gone', async () => !(await docker('images')).includes('team/shop'));
});

test('an image is inspected, saved to a file and loaded from it', async (bench) => {
  const { workbench, docker, dir } = bench;
  const name = `${REGISTRY}/team/box`;
  const center = new NotificationCenter(workbench.page);
  await (await imageRow(bench, name, '1')).choose('Inspect');
  await workbench.editor.shows(/"RepoTags"/);
  await (await imageRow(bench, name, '1')).choose('Show History');
  await workbench.editor.shows(/IMAGE +CREATED +SIZE +STEP/);
  const path = join(dir, 'box.tar');
  await (await imageRow(bench, name, '1')).choose('Save to File…');
  await new FileDialog(workbench.page).choose(path);
  await center.awaited(/box\.tar is written/);
  assert.ok(existsSync(path));
  await docker('rmi', `${name}:1`);
  const tree = await view(bench, 'Images');
  await tree.row(/team\/box/).waitFor('hidden');
  await workbench.command('Pinnace Images: Load from File…');
  await new FileDialog(workbench.page).choose(path);
  await center.awaited(`Loaded ${name}:1.`);
  await tree.row(/team\/box/).waitFor();
});

test('a volume is made, inspected, found in use, and removed when it is free', async (bench) => {
  const { workbench, docker } = bench;
  const center = new NotificationCenter(workbench.page);
  await workbench.command('Pinnace Volumes: Create…');
  await workbench.quickInput.enter('stuff');
  const tree = await view(bench, 'Volumes');
  await tree.row(/^volume stuff/).waitFor();
  await docker('run', '-d', '--name', 'web', '-v', 'stuff:/s', 'busybox', 'sleep', '600');
  await (await tree.row(/^volume stuff.*used by web/).waitFor()).choose('Who Uses It?');
  await until('the container is named', async () =>
    (await workbench.quickInput.entries()).includes('web'),
  );
  await workbench.quickInput.cancel();
  await tree.row(/^volume stuff/).choose('Inspect');
  await workbench.editor.shows(/"Mountpoint"/);
  await tree.row(/^volume stuff/).choose('Remove…');
  await center.awaited('Still used: stuff by web.');
  await docker('rm', '-f', 'web');
  await (await tree.row(/^volume stuff(?!.*used by)/).waitFor()).choose('Remove…');
  await workbench.dialog.press('Remove');
  await tree.row(/^volume stuff/).waitFor('hidden');
  assert.equal(await docker('volume', 'ls', '-q'), '');
});

test('a network is made, joined, inspected, left and removed', async (bench) => {
  const { workbench, docker } = bench;
  const { quickInput } = workbench;
  await docker('run', '-d', '--name', 'web', 'busybox', 'sleep', '600');
  await workbench.command('Pinnace Networks: Create…');
  await quickInput.enter('back');
  await until('the question for the range', async () => /2\/2/.test(await quickInput.title()));
  await quickInput.enter('10.93.0.0/24');
  await until('the question for the kind', async () =>
    /kind of network/.test(await quickInput.title()),
  );
  await quickInput.pick('Internal');
  const tree = await view(bench, 'Networks');
  await (await tree.row(/^network back/).waitFor()).choose('Connect Container…');
  await until('the container is offered', async () => (await quickInput.entries()).includes('web'));
  await quickInput.tick('web');
  await (await tree.row(/^network back.*1 container/).waitFor()).choose('Who Is on It?');
  await until('its address is told', async () => (await quickInput.settled()).includes('10.93.0.'));
  await quickInput.cancel();
  await tree.row(/^network back/).choose('Inspect');
  await workbench.editor.shows(/10\.93\.0\./);
  await tree.row(/^network back/).choose('Disconnect Container…');
  await until('the container is offered', async () => (await quickInput.entries()).includes('web'));
  await quickInput.tick('web');
  await workbench.dialog.press('Disconnect');
  await (await tree.row(/^network back.*no containers/).waitFor()).choose('Remove…');
  await workbench.dialog.press('Remove');
  await tree.row(/^network back/).waitFor('hidden');
  await docker('rm', '-f', 'web');
});

test('an image is built from the editor', async (bench) => {
  const { workbench, docker } = bench;
  const { quickInput } = workbench;
  await workbench.command('Pinnace: Build Image…');
  await until('the question for the tag', async () => (await quickInput.title()).includes('tag'));
  await quickInput.enter('ours:1');
  const built = new BuildView(workbench.webview);
  await built.ended('Succeeded');
  assert.match(await built.log('said', /said/), /said/);
  assert.equal((await built.steps()).length, 4);
  assert.equal(await docker('inspect', '-f', '{{.Config.Labels.of}}', 'ours:1'), 'ours');
  await (await view(bench, 'Images')).row(/^repository ours/).waitFor();
});
