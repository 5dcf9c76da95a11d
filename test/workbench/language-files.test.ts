/** What files and settings make of the language server in the real editor: names of files, refactorings, lenses, links, folds, what saving and typing mend, levels of rules, the linter's configuration. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './parts/patience.ts';
import { withWorkbench } from './rig.ts';

const FILES: Record<string, string> = {
  Containerfile: 'FROM busybox:latest\nMAINTAINER somebody\nRUN cd /tmp && make\n',
  'worker.Dockerfile': 'FROM busybox:latest\n',
  'Dockerfile.dev': 'FROM busybox:latest\n',
  Dockerfile: `FROM busybox:latest AS tools
RUN echo one
RUN echo two

FROM busybox:latest AS app
RUN <<EOF
echo many
echo lines
EOF
COPY note.txt /note.txt
`,
  'note.txt': 'note\n',
  'saved.Dockerfile': 'from busybox:latest as tools\nENV A 1\n',
  'typed.Dockerfile': 'FROM busybox:latest\n',
  '.hadolint.yaml': 'ignored:\n  - DL3059\n',
};

const { test } = withWorkbench({
  folder: (folder) => {
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  },
  settings: {
    'editor.wordBasedSuggestions': 'off',
    'editor.formatOnType': true,
    'editor.codeActionsOnSave': { 'source.fixAll.pinnace': 'explicit' },
    'pinnace.languageServer.registryLookups': false,
    'pinnace.languageServer.rules': { MaintainerDeprecated: 'error', DL3003: 'off' },
  },
});

test('Containerfile, *.Dockerfile and Dockerfile.* are Dockerfiles', async ({ workbench }) => {
  for (const name of ['worker.Dockerfile', 'Dockerfile.dev', 'Containerfile']) {
    await workbench.editor.open(name);
    await workbench.statusBar.item(/^Dockerfile/).waitFor();
  }
});

test('rules have the levels that the settings give them', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('Containerfile');
  await until('an error', async () => (await editor.squiggles('error')) === 1);
  const problems = await workbench.problems.open();
  await problems.awaited(/MAINTAINER/);
  assert.ok((await problems.texts()).every((text) => !text.includes('DL3003')));
  await workbench.page.keyboard.press('Control+Shift+M');
});

test('lenses above stages build, run and open a shell', async ({ workbench }) => {
  await workbench.editor.open('Dockerfile');
  const lenses = await until('the lenses', async () => {
    const found = await workbench.editor.lenses();
    return found.filter((text) => text === 'Shell Here').length === 2 ? found : undefined;
  });
  const count = (title: string): number => lenses.filter((text) => text === title).length;
  assert.deepEqual(['Build Image', 'Build to This Stage', 'Run This Stage'].map(count), [1, 1, 2]);
});

test('a file of the context and the page of an image are links', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('Dockerfile');
  const links = editor.element.locator('.view-lines .detected-link');
  await until('links', async () => {
    const texts = await links.allInnerTexts();
    return texts.includes('note.txt') && texts.some((text) => text.startsWith('busybox'));
  });
});

test('stages and heredocs fold', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('Dockerfile');
  await until('the folded file', async () => {
    await workbench.command('Fold All');
    return !(await editor.lines()).join('\n').includes('echo');
  });
  const lines = await editor.lines();
  assert.ok(lines.some((line) => line.startsWith('FROM busybox:latest AS tools')));
  assert.ok(lines.some((line) => line.startsWith('FROM busybox:latest AS app')));
  await workbench.command('Unfold All');
  await editor.shows(/echo many/);
});

test('the menu of refactorings merges RUN instructions', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('Dockerfile');
  await editor.goTo(2, 1);
  await editor.press('Shift+ArrowDown');
  await editor.press('Shift+End');
  const titles = await editor.codeActions();
  assert.ok(
    titles.some((title) => title.startsWith('Merge')),
    titles.join(),
  );
  await editor.applyCodeAction(/^Merge/);
  await editor.shows(/RUN echo one \\\n *&& echo two/);
  await workbench.command('File: Revert File');
});

test('saving mends what can be mended without a question', async ({ workbench, folder }) => {
  const { editor } = workbench;
  await editor.open('saved.Dockerfile');
  await until('the problems', async () => (await editor.squiggles('warning')) > 0);
  await editor.press('Control+End');
  await editor.type('# end');
  await editor.save();
  await until('the mended file', () =>
    /AS tools\nENV A=1\n/i.test(readFileSync(join(folder, 'saved.Dockerfile'), 'utf8')),
  );
});

test('a line that goes on is indented as it is typed', async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('typed.Dockerfile');
  await editor.press('Control+End');
  await editor.type('RUN echo one \\');
  await editor.press('Enter');
  await editor.type('&& echo two');
  await editor.shows(/^RUN echo one \\\n +&& echo two$/m);
  await workbench.command('File: Revert File');
});

test("the linter's configuration is completed and checked", async ({ workbench }) => {
  const { editor } = workbench;
  await editor.open('.hadolint.yaml');
  await editor.press('Control+End');
  await editor.type('fail');
  assert.ok((await editor.suggestions()).includes('failure-threshold'));
  await editor.accept('failure-threshold');
  await editor.shows(/^failure-threshold: $/m);
  await editor.type('never');
  await until('the mistake', async () => (await editor.squiggles('warning')) > 0);
  await workbench.command('File: Revert File');
});
