/** Problems of Dockerfiles that nobody opened, in the real editor: off at first, by the setting while it runs, and true whatever is opened, edited, closed and changed on the disk. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withWorkbench } from './rig.ts';

const FILES: Readonly<Record<string, string>> = {
  Dockerfile: 'FROM busybox:1\n',
  'one/one.Dockerfile': 'FROM busybox:1\nMAINTAINER one\n',
  'two/two.Dockerfile': 'FROM busybox:1\nMAINTAINER two\n',
  'Dockerfile.dockerignore': 'a\n',
};

const { test } = withWorkbench({
  folder: (folder) => {
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(join(folder, name, '..'), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  },
  settings: { 'pinnace.languageServer.registryLookups': false, 'files.autoSave': 'off' },
});

/** Sets the setting for the folder of the window. */
function setting(folder: string, isOn: boolean): void {
  mkdirSync(join(folder, '.vscode'), { recursive: true });
  const settings = { 'pinnace.languageServer.workspaceDiagnostics': isOn };
  writeFileSync(join(folder, '.vscode', 'settings.json'), JSON.stringify(settings));
}

test('only open files have problems until the setting wants more', async ({
  workbench,
  folder,
}) => {
  const { editor } = workbench;
  const problems = await workbench.problems.open();
  await editor.open('one.Dockerfile');
  await problems.awaited(/one\.Dockerfile/);
  await delay(3000);
  assert.ok((await problems.texts()).every((text) => !text.includes('two.Dockerfile')));
  await editor.closeAll();
  await problems.gone(/one\.Dockerfile/);
  setting(folder, true);
  await problems.awaited(/one\.Dockerfile/);
  await problems.awaited(/two\.Dockerfile/);
});

test('they follow the files on the disk', async ({ workbench, folder }) => {
  const problems = await workbench.problems.open();
  const three = join(folder, 'three.Dockerfile');
  writeFileSync(three, 'FROM busybox:1\nMAINTAINER three\n');
  await problems.awaited(/three\.Dockerfile/);
  writeFileSync(join(folder, 'one', 'one.Dockerfile'), 'FROM busybox:1\n');
  await problems.gone(/one\.Dockerfile/);
  rmSync(three);
  await problems.gone(/three\.Dockerfile/);
  await problems.awaited(/two\.Dockerfile/);
});

test('what is closed again has the problems of its file, and another of its name none', async ({
  workbench,
}) => {
  const { editor } = workbench;
  const problems = await workbench.problems.open();
  await editor.open('two.Dockerfile');
  await editor.goTo(2, 1);
  await editor.press('Control+Shift+K');
  await problems.gone(/two\.Dockerfile/);
  await workbench.quickInput.command('File: Revert File');
  await editor.closeAll();
  await problems.awaited(/two\.Dockerfile/);
  await editor.open('Dockerfile.dockerignore');
  await workbench.statusBar.item(/ignore/i).waitFor();
  await editor.type('[x');
  await editor.save();
  await problems.awaited(/Dockerfile\.dockerignore/);
  await editor.closeAll();
  await problems.gone(/Dockerfile\.dockerignore/);
  await problems.awaited(/two\.Dockerfile/);
});

test('they go when the setting is taken back', async ({ workbench, folder }) => {
  const { editor } = workbench;
  const problems = await workbench.problems.open();
  setting(folder, false);
  await problems.gone(/two\.Dockerfile/);
  await editor.open('two.Dockerfile');
  await problems.awaited(/two\.Dockerfile/);
  await editor.closeAll();
  await problems.gone(/two\.Dockerfile/);
});
