/** The actions on containers as a person takes them, on the engine that the bench's window shows. What came of them is asked of the docker command line, never of the tree alone. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { command } from '../../support/engine.ts';
import { copied } from '../parts/clipboard.ts';
import { FileDialog } from '../parts/file-dialog.ts';
import { NotificationCenter } from '../parts/notification-center.ts';
import { until } from '../parts/patience.ts';
import type { ViewPane } from '../parts/side-bar.ts';
import type { Bench } from '../rig.ts';

/** A sentence, and the proof of it. */
export type Action = readonly [name: string, work: (bench: Bench) => Promise<void>];

/** Each makes the containers that it takes, and removes them where it succeeds. */
export const CONTAINER_ACTIONS: readonly Action[] = [
  [
    'restart, pause, unpause and a chosen signal reach the container, and its row follows',
    lifecycle,
  ],
  ['a name is refused while it is wrong, and given by the menu', rename],
  ['inspect is JSON that cannot be edited, processes are looked at again', documents],
  ['name, id and a docker run line that really runs are copied', copies],
  ['a container becomes an image with message and author', commit],
  ['the files of a container are exported to the disk', exportFiles],
  ['a published port is opened in the browser from its row and from the menu', browse],
  ['stopped containers are removed after a question that names them', prune],
  ['several rows go with one press of Delete', removeSeveral],
];

/** Writes down each USR1; ends at once when it is asked to. */
const LISTENER =
  'trap "echo usr1 >> /got" USR1; trap "exit 0" TERM; : > /got; while :; do sleep 0.1; done';

export async function containersView({ workbench }: Bench): Promise<ViewPane> {
  return (await workbench.activityBar.open('Pinnace')).only('Containers');
}

export function run({ docker }: Bench, name: string, ...words: string[]): Promise<string> {
  const flags = ['--network', 'none', '--stop-timeout', '0', '--name', name];
  return docker('run', '-d', ...flags, 'busybox', ...words);
}

/** Chooses from the menu of a container's row, as soon as the row's state offers it. */
export async function choose(bench: Bench, name: string, title: string): Promise<void> {
  const { tree } = await containersView(bench);
  const row = await tree.row(rowOf(name)).waitFor();
  await row.choose(title);
}

function rowOf(name: string): RegExp {
  return new RegExp(`^container ${name},`);
}

function fact({ docker }: Bench, name: string, format: string): Promise<string> {
  return docker('inspect', '-f', format, name);
}

/** Waits until the quick input asks something new. */
export async function asked({ workbench }: Bench, title: RegExp): Promise<void> {
  await until(`the question ${String(title)}`, async () =>
    title.test(await workbench.quickInput.title().catch(() => '')),
  );
}

async function lifecycle(bench: Bench): Promise<void> {
  await run(bench, 'web', 'sh', '-c', LISTENER);
  const { tree } = await containersView(bench);
  const started = await fact(bench, 'web', '{{.State.StartedAt}}');
  await choose(bench, 'web', 'Restart');
  await until('it was restarted', async () => {
    const now = await fact(bench, 'web', '{{.State.Status}} {{.State.StartedAt}}');
    return now.startsWith('running') && !now.includes(started);
  });
  await choose(bench, 'web', 'Pause');
  await tree.row(/^container web, .*Paused/).waitFor();
  assert.equal(await fact(bench, 'web', '{{.State.Status}}'), 'paused');
  await tree.row(rowOf('web')).act('Unpause');
  await until('it runs', async () => (await fact(bench, 'web', '{{.State.Status}}')) === 'running');
  await tree.settled(
    'the row of what runs again',
    (rows) => rows.some((row) => row.startsWith('web')) && !rows.some((row) => /Paused/.test(row)),
  );
  await choose(bench, 'web', 'Kill…');
  await asked(bench, /which signal/);
  await bench.workbench.quickInput.pick('SIGUSR1');
  await until('the signal arrived', async () =>
    (await bench.docker('exec', 'web', 'cat', '/got')).includes('usr1'),
  );
  await bench.docker('rm', '-f', 'web');
}

async function rename(bench: Bench): Promise<void> {
  const { quickInput, page } = bench.workbench;
  await run(bench, 'stall', 'sleep', '600');
  await choose(bench, 'stall', 'Rename…');
  await asked(bench, /Rename stall/);
  assert.equal(await quickInput.input.inputValue(), 'stall');
  await quickInput.input.fill('no name');
  await until('the complaint', async () =>
    (await quickInput.message()).includes('A name has two characters or more'),
  );
  await quickInput.input.fill('market');
  await page.keyboard.press('Enter');
  const { tree } = await containersView(bench);
  await tree.row(rowOf('market')).waitFor();
  await tree.row(rowOf('stall')).waitFor('hidden');
  assert.equal(await fact(bench, 'market', '{{.Name}}'), '/market');
  await bench.docker('rm', '-f', 'market');
}

async function documents(bench: Bench): Promise<void> {
  const { editor, page } = bench.workbench;
  await run(bench, 'shop', 'sh', '-c', LISTENER);
  await choose(bench, 'shop', 'Inspect');
  await editor.tab(/^shop\.json$/);
  await editor.shows(/"Name": "\/shop"|"Id": "[0-9a-f]{64}"/);
  await editor.focus();
  await editor.type('x');
  await page
    .getByText(/Cannot edit in read-only editor/)
    .first()
    .waitFor();
  await choose(bench, 'shop', 'Show Processes');
  await editor.tab(/^Processes of shop$/);
  await editor.shows(/PID.*[\s\S]*sh -c trap/);
  await bench.docker('exec', '-d', 'shop', 'sleep', '777');
  await page.locator('.editor-actions').getByRole('button', { name: 'Refresh Processes' }).click();
  await editor.shows(/sleep 777/);
  await editor.closeAll();
  await bench.docker('rm', '-f', 'shop');
}

async function copies(bench: Bench): Promise<void> {
  const { workbench, docker } = bench;
  const taken = async (title: string, wanted: RegExp): Promise<string> => {
    await choose(bench, 'pattern', title);
    return copied(workbench.page, wanted);
  };
  await run(bench, 'pattern', 'sh', '-c', LISTENER);
  await taken('Copy Name', /^pattern$/);
  const id = await taken('Copy ID', /^[0-9a-f]{64}$/);
  assert.equal(id, await fact(bench, 'pattern', '{{.Id}}'));
  const line = await taken('Copy docker run Line', /^docker run --detach/);
  await docker('rm', '-f', 'pattern');
  const env = { DOCKER_HOST: bench.address };
  const again = await command(['/bin/sh', '-c', line], { env });
  assert.equal(again.status, 0, `${line}\n${again.stderr}`);
  assert.equal(
    await fact(bench, 'pattern', '{{.State.Status}} {{.Config.Image}}'),
    'running busybox',
  );
  await docker('rm', '-f', 'pattern');
}

async function commit(bench: Bench): Promise<void> {
  const { quickInput } = bench.workbench;
  await run(bench, 'marked', 'sh', '-c', 'touch /mark; sleep 600');
  await choose(bench, 'marked', 'Commit to Image…');
  await quickInput.enter('made:1');
  await until('the question for the message', async () =>
    (await quickInput.message()).includes('Message'),
  );
  await quickInput.enter('with a mark');
  await until('the question for the author', async () =>
    (await quickInput.message()).includes('Author'),
  );
  await quickInput.enter('Ada <ada@example.org>');
  await asked(bench, /Pause the container/);
  await quickInput.pick('no file changes half-way');
  await new NotificationCenter(bench.workbench.page).awaited('Made made:1 of marked.');
  const facts = await fact(bench, 'made:1', '{{.Author}} | {{.Comment}}');
  assert.equal(facts, 'Ada <ada@example.org> | with a mark');
  assert.equal(
    await bench.docker('run', '--rm', '--network', 'none', 'made:1', 'ls', '/mark'),
    '/mark',
  );
  await bench.docker('rm', '-f', 'marked');
  await bench.docker('rmi', 'made:1');
}

async function exportFiles(bench: Bench): Promise<void> {
  const path = join(bench.dir, 'freight.tar');
  await run(bench, 'freight', 'sh', '-c', 'touch /mark; sleep 600');
  await choose(bench, 'freight', 'Export…');
  await new FileDialog(bench.workbench.page).choose(path);
  await until('the archive is whole', async () => {
    const listed = await command(['tar', '-tf', path]);
    return listed.status === 0 && /^(\.\/)?mark$/m.test(listed.stdout);
  });
  await bench.docker('rm', '-f', 'freight');
}

async function browse(bench: Bench): Promise<void> {
  const { docker, workbench } = bench;
  const server = 'mkdir /w; echo hello > /w/index.html; httpd -f -p 80 -h /w';
  await docker('run', '-d', '--name', 'page', '-p', '127.0.0.1::80', 'busybox', 'sh', '-c', server);
  const port = (await docker('port', 'page', '80')).split(':').at(-1) ?? '';
  const { tree } = await containersView(bench);
  await tree.row(rowOf('page')).expand();
  const row = await tree.row(/^port 80 tcp/).waitFor();
  assert.deepEqual(await row.actions(), ['Open Port in Browser']);
  const fromRow = await workbench.opens(() => row.act('Open Port in Browser'));
  assert.match(fromRow, new RegExp(`[:/]${port}/`), fromRow);
  const fromMenu = await workbench.opens(() => choose(bench, 'page', 'Open in Browser'));
  assert.match(fromMenu, new RegExp(`[:/]${port}/`), fromMenu);
  await docker('rm', '-f', 'page');
}

async function prune(bench: Bench): Promise<void> {
  const { docker, workbench } = bench;
  await run(bench, 'old-1', 'true');
  await run(bench, 'old-2', 'true');
  await docker('wait', 'old-1', 'old-2');
  const view = await containersView(bench);
  // A title's menu closes where what stands in the title changes.
  await view.tree.settled(
    'both have ended',
    (rows) => rows.filter((row) => /^old-\d .*Exited/.test(row)).length === 2,
  );
  await (await view.more()).choose('Remove Stopped…');
  const text = await workbench.dialog.text();
  assert.match(text, /Remove 2 stopped containers\?/);
  assert.match(text, /old-1[\s\S]*old-2|old-2[\s\S]*old-1/);
  await workbench.dialog.press('Remove');
  await new NotificationCenter(workbench.page).awaited(/Removed 2 containers; .* came free/);
  assert.equal(await docker('ps', '-aq', '--filter', 'status=exited'), '');
}

async function removeSeveral(bench: Bench): Promise<void> {
  const { docker, workbench } = bench;
  await run(bench, 'one', 'sleep', '600');
  await run(bench, 'two', 'true');
  await docker('wait', 'two');
  const { tree } = await containersView(bench);
  await tree.row(/^container two, Exited/).waitFor();
  await tree.select(rowOf('one'), rowOf('two'));
  await workbench.page.keyboard.press('Delete');
  const text = await workbench.dialog.text();
  assert.match(text, /Remove 2 containers\?/);
  assert.match(text, /1 of them is running and will be killed/);
  await workbench.dialog.press('Stop and Remove');
  await until('they are gone', async () => (await docker('ps', '-aq')) === '');
}
