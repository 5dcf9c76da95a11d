/** Building in the editor: lens, stage, tag and arguments asked, the live view, hints, failure in Problems, cancel, history, comparison, task. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BuildView } from './parts/build-view.ts';
import { until } from './parts/patience.ts';
import type { Workbench } from './parts/workbench.ts';
import { withWorkbench } from './rig.ts';

const DOCKERFILE = `ARG GREETING=hello
FROM scratch AS tools
COPY busybox /bin/sh
RUN echo making && exec 3>/one

FROM tools AS app
ARG GREETING
RUN echo "said $GREETING" && echo done
COPY note.txt /note
`;

/** Two stages whose containers tell which they are of. */
const STAGES = `FROM scratch AS tools
COPY busybox /bin/sh
CMD ["/bin/sh", "-c", "echo of tools; sleep 600"]

FROM tools AS app
CMD ["/bin/sh", "-c", "echo of app; sleep 600"]
`;

const TASKS = {
  version: '2.0.0',
  tasks: [
    {
      label: 'image',
      type: 'pinnace-build',
      dockerfile: 'Dockerfile',
      tags: ['task:1'],
      args: { GREETING: 'task' },
    },
  ],
};

const { test } = withWorkbench({
  folder: (folder) => {
    writeFileSync(join(folder, 'Dockerfile'), DOCKERFILE);
    writeFileSync(join(folder, 'note.txt'), 'n'.repeat(3000));
    mkdirSync(join(folder, '.vscode'));
    writeFileSync(join(folder, '.vscode', 'tasks.json'), JSON.stringify(TASKS));
    copyFileSync('/bin/busybox', join(folder, 'busybox'));
    writeFileSync(join(folder, 'Stages.Dockerfile'), STAGES);
    writeFileSync(join(folder, 'Slow.Dockerfile'), `${DOCKERFILE}RUN echo waiting && sleep 600\n`);
    writeFileSync(
      join(folder, 'Broken.Dockerfile'),
      `${DOCKERFILE}RUN echo about to fail && exit 7\n`,
    );
  },
  engine: {},
});

/** Waits for a question of a build. */
async function asked(workbench: Workbench, title: string): Promise<void> {
  await until(`the question ${title}`, async () =>
    (await workbench.quickInput.title()).includes(title),
  );
}

/** Answers the questions of a build: the stage, the tag, the arguments. */
async function answer(
  workbench: Workbench,
  { stage, tag, greeting }: { stage: string; tag: string; greeting?: string },
): Promise<void> {
  const { quickInput } = workbench;
  await asked(workbench, 'stage to build');
  await quickInput.pick(stage);
  await asked(workbench, 'tag');
  await quickInput.enter(tag);
  await asked(workbench, 'arguments');
  if (greeting !== undefined) {
    await quickInput.pick('GREETING');
    await asked(workbench, 'Build argument GREETING');
    await quickInput.enter(greeting);
    await asked(workbench, 'arguments');
  }
  await quickInput.pick('with these arguments');
}

async function lens(workbench: Workbench, title: string): Promise<void> {
  await until(`the lens ${title}`, async () =>
    (await workbench.editor.lenses()).some((text) => text.includes(title)),
  );
}

/** Of the first stage that has one of this title. */
async function pressLens(workbench: Workbench, title: string): Promise<void> {
  await lens(workbench, title);
  await workbench.editor.element
    .locator('.codelens-decoration a', { hasText: title })
    .first()
    .click();
}

test('a lens builds the image, and each step is told live and in the file', async ({
  workbench,
  docker,
}) => {
  await workbench.editor.open('Dockerfile');
  await pressLens(workbench, 'Build Image');
  await answer(workbench, { stage: 'Whole file', tag: 'made:1' });
  const view = new BuildView(workbench.webview);
  const frame = await view.ended('Succeeded');
  const steps = await view.steps();
  assert.equal(steps.length, 7);
  assert.match(steps.join('\n'), /3\/7 tools RUN echo making/);
  assert.match(await view.log('said', /said hello/), /done/);
  assert.match(await docker('images', 'made'), /made\s+1/);
  await frame.locator('.line').first().click();
  await lens(workbench, 'Last build: ');
  await until('the hint of the layer', async () =>
    /note\s*3\skB\s·\s(?:[\d.]+\ss\s·\s)?cached/.test(
      await workbench.page.locator('.view-lines').first().innerText(),
    ),
  );
});

test('a stage is built with an argument of its own, from the palette', async (bench) => {
  const { workbench } = bench;
  await workbench.command('Pinnace: Build Image…');
  await answer(workbench, { stage: 'FROM tools', tag: 'made:2', greeting: 'bonjour' });
  const view = new BuildView(workbench.webview);
  const frame = await view.ended('Succeeded');
  assert.match(await view.log('said', /said bonjour/), /done/);
  const steps = (await view.steps()).join('\n');
  assert.match(steps, /RUN echo making.* cached/);
  await view.press('Compare with Previous');
  await workbench.quickInput.pick(/made:1/);
  await frame.locator('.comparison').waitFor();
  assert.match(await frame.locator('.summary').innerText(), /steps? changed/);
});

test('a failing step is a problem on its line until the line is edited', async ({ workbench }) => {
  await workbench.editor.open('Broken.Dockerfile');
  await workbench.command('Pinnace: Build Image…');
  await answer(workbench, { stage: 'Whole file', tag: '' });
  const view = new BuildView(workbench.webview);
  const frame = await view.ended('Failed');
  assert.match(await view.log('exit 7', /about to fail/), /about/);
  const problems = await workbench.problems.open();
  const texts = await problems.texts();
  assert.match(texts.join('\n'), /non-zero code: 7/);
  await frame.locator('details.failed .line').click();
  await workbench.editor.tab(/Broken/);
  await until('the place in the file', async () =>
    (await workbench.page.locator('.statusbar').innerText()).includes('Ln 10,'),
  );
  await workbench.editor.press('End');
  await workbench.editor.type(' # mended');
  await until('the problem is gone', async () =>
    (await problems.texts()).every((text) => !text.includes('non-zero')),
  );
});

test('a build that runs is cancelled and leaves nothing', async ({ workbench, docker }) => {
  await workbench.editor.open('Slow.Dockerfile');
  await workbench.command('Pinnace: Build Image…');
  await answer(workbench, { stage: 'Whole file', tag: 'never:1' });
  const view = new BuildView(workbench.webview);
  await view.log('echo waiting', /waiting/);
  await view.press('Cancel');
  await view.ended('Cancelled');
  assert.equal(await docker('images', '-q', 'never'), '');
  assert.equal(await docker('ps', '-aq'), '');
});

test('the view of builds remembers them, shows their steps and forgets them', async (bench) => {
  const { workbench } = bench;
  const builds = await (await workbench.activityBar.open('Pinnace')).view('Builds');
  await builds.tree.settled('four builds', (texts) => texts.length === 4);
  const row = builds.tree.row(/made:1/);
  await row.expand();
  await builds.tree.row(/FROM scratch AS tools/).waitFor();
  await builds.tree.row(/never:1/).act('Delete from History');
  await builds.tree.row(/never:1/).waitFor('hidden');
});

test('a lens opens a shell in a stage, which leaves nothing when it ends', async (bench) => {
  const { workbench, docker } = bench;
  await workbench.editor.open('Dockerfile');
  await pressLens(workbench, 'Shell Here');
  await asked(workbench, 'arguments');
  await workbench.quickInput.pick('with these arguments');
  const id = await until('the container', () => docker('ps', '-q'));
  await workbench.terminal.opened();
  await until('what was typed', async () => {
    await workbench.terminal.send('echo typed > /typed');
    return (await docker('diff', id)).includes('A /typed');
  });
  await workbench.terminal.send('exit');
  await until('the end of the container', async () => (await docker('ps', '-aq')) === '');
});

test('a lens builds to its stage, and another runs a container of it', async (bench) => {
  const { workbench, docker } = bench;
  await workbench.editor.open('Stages.Dockerfile');
  await pressLens(workbench, 'Build to This Stage');
  await asked(workbench, 'tag');
  await workbench.quickInput.enter('stage:1');
  await new BuildView(workbench.webview).ended('Succeeded');
  const image = await until('the image of the stage', () =>
    docker('images', '-q', '--no-trunc', 'stage:1'),
  );
  assert.match(await docker('inspect', '-f', '{{.Config.Cmd}}', image), /of tools/);
  await workbench.editor.open('Stages.Dockerfile');
  await pressLens(workbench, 'Run This Stage');
  const container = await until('the container', () => docker('ps', '-q'));
  assert.equal(await docker('inspect', '-f', '{{.Image}}', container), image);
  await until('what it says', async () => (await docker('logs', container)).includes('of tools'));
  await docker('rm', '-f', container);
});

test('a task builds in a terminal', async ({ workbench, docker }) => {
  await workbench.command('Tasks: Run Task');
  await workbench.quickInput.pick(/^image/);
  await until('the image of the task', async () => (await docker('images', '-q', 'task')) !== '');
  const builds = await (await workbench.activityBar.open('Pinnace')).view('Builds');
  await builds.tree.settled('the build of the task', (texts) =>
    texts.some((text) => /task:1.*cached/s.test(text)),
  );
});

test('paths inside the image that was built are completed', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('Dockerfile');
  await editor.press('Control+End');
  await editor.type('RUN cat /o');
  // The engine is asked anew after a build: what it has may come with a second look.
  await until('the file of the image', async () => {
    if ((await editor.suggestions()).includes('one')) return true;
    await editor.press('Escape');
    return false;
  });
});
