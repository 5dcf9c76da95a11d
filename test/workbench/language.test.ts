/** The language server in the real editor, as a person meets it: completion, hover, problems, quick fixes, format, rename, references, outline, colours. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

const FILES: Record<string, string> = {
  Dockerfile: `ARG VERSION=1
FROM busybox:latest AS tools
RUN echo "$VERSION"

FROM busybox:latest AS app
WORKDIR /app
COPY --from=tools /bin/busybox /app/busybox
COPY --from=tools /bin/sh /app/sh
CMD ["/app/busybox"]
`,
  'wrong.Dockerfile': `FROM busybox:latest
MAINTAINER somebody
WORKDIR app
RUN cd /tmp && wget http://example.com/a
FROBNICATE now
`,
  'ugly.Dockerfile': `from busybox:latest
run   echo one \\
&& echo two


workdir   /app
`,
  'shades.Dockerfile': `FROM busybox:latest AS shades
ARG HUE=blue
RUN echo "$HUE"
FROM busybox:latest
COPY --from=shades /bin/sh /sh
`,
  '.dockerignore': 'node_modules\n[x\n',
};

/** Colours of semantic tokens alone: the grammar gives nothing these. */
const STAGE = 'rgb(254, 1, 2)';
const VARIABLE = 'rgb(2, 254, 1)';

const { test } = withWorkbench({
  folder: (folder) => {
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  },
  settings: {
    'editor.wordBasedSuggestions': 'off',
    'pinnace.languageServer.registryLookups': false,
    'editor.semanticTokenColorCustomizations': {
      enabled: true,
      rules: { namespace: '#fe0102', variable: '#02fe01' },
    },
  },
});

test('problems of a file show as squiggles and in the problems panel', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('wrong.Dockerfile');
  await until('an error', async () => (await editor.squiggles('error')) > 0);
  await until('warnings', async () => (await editor.squiggles('warning')) > 0);
  const problems = await workbench.problems.open();
  await problems.awaited(/FROBNICATE/);
  await problems.awaited(/MAINTAINER/);
});

test('a quick fix mends a problem, which then is gone', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('wrong.Dockerfile');
  await workbench.problems.awaited(/MAINTAINER/);
  await editor.goTo(2, 3);
  const titles = await editor.codeActions();
  assert.ok(titles.length > 0);
  await editor.applyCodeAction('Change to a label');
  await editor.shows(/^LABEL /m);
  await workbench.problems.gone(/MAINTAINER/);
});

test('completion offers instructions, stages and what is written is inserted', async ({
  workbench,
}) => {
  const { editor } = workbench;
  await editor.open('Dockerfile');
  await editor.goTo(10, 1);
  await editor.type('HEALTHC');
  assert.ok((await editor.suggestions()).some((word) => word.startsWith('HEALTHCHECK')));
  await editor.accept('HEALTHCHECK');
  await editor.shows(/HEALTHCHECK/);
  await workbench.command('File: Revert File');
  await editor.goTo(7, 13);
  const stages = await editor.suggestions();
  assert.ok(stages.includes('tools'), stages.join());
  await editor.press('Escape');
});

test('hover explains an instruction and the value of a variable', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('Dockerfile');
  await editor.goTo(6, 2);
  assert.match(await editor.hover(), /WORKDIR/);
  await editor.press('Escape');
  await editor.goTo(1, 6);
  assert.match(await editor.hover(), /VERSION=1/);
  await editor.press('Escape');
});

test('a stage is renamed everywhere', async ({ workbench, folder }) => {
  const { editor, page } = workbench;
  await editor.open('Dockerfile');
  await editor.goTo(2, 27);
  await editor.press('F2');
  const box = page.locator('.rename-box input.rename-input');
  await box.waitFor();
  await box.fill('utensils');
  await page.keyboard.press('Enter');
  await editor.shows(/AS utensils[\s\S]*--from=utensils[\s\S]*--from=utensils/);
  await editor.save();
  await until(
    'the saved file',
    () => !readFileSync(join(folder, 'Dockerfile'), 'utf8').includes('tools'),
  );
});

test('references of a stage are listed', async ({ workbench }) => {
  const { editor, page } = workbench;
  await editor.open('Dockerfile');
  await editor.goTo(2, 27);
  await editor.press('Shift+F12');
  const rows = page.locator('.zone-widget .ref-tree .monaco-list-row');
  await until('the references', async () => (await rows.count()) >= 3);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
});

test('the outline shows stages and their instructions', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('Dockerfile');
  const explorer = await workbench.activityBar.open('Explorer');
  const outline = await explorer.view('Outline');
  const rows = await outline.tree.settled('the outline', (texts) => texts.length >= 2);
  assert.ok(
    rows.some((row) => row.includes('app')),
    rows.join(),
  );
});

test('the formatter sets cases, spaces and continuations right', async ({ workbench, folder }) => {
  const { editor } = workbench;
  await editor.open('ugly.Dockerfile');
  await until('the formatted file', async () => {
    await workbench.command('Format Document');
    const text = (await editor.lines()).join('\n');
    return /^FROM busybox/m.test(text) && /^WORKDIR \/app/m.test(text);
  });
  await editor.save();
  await until('the saved file', () =>
    /^RUN echo one \\\n +&& echo two\n/m.test(
      readFileSync(join(folder, 'ugly.Dockerfile'), 'utf8'),
    ),
  );
});

test('a stage has its colour wherever it is named, and a variable in the shell too', async ({
  workbench,
}) => {
  const { editor } = workbench;
  await editor.open('shades.Dockerfile');
  const coloured: readonly (readonly [RegExp, string, string])[] = [
    [/AS\sshades/, 'shades', STAGE],
    [/--from=shades/, 'shades', STAGE],
    [/ARG\sHUE/, 'HUE', VARIABLE],
    [/RUN\secho/, 'HUE', VARIABLE],
  ];
  for (const [line, piece, colour] of coloured)
    await until(
      `the colour of ${piece} in ${String(line)}`,
      async () => (await editor.colourOf(line, piece)) === colour,
    );
});

test('.dockerignore has its own language, and its mistakes are shown', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('.dockerignore');
  await workbench.statusBar.item(/ignore/i).waitFor();
  await until('the mistake', async () => (await editor.squiggles('error')) > 0);
});
