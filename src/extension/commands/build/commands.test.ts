/** What a build asks, what it remembers and what it never remembers; the commands on builds. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { BuildEntry } from '../../build/journal.ts';
import { SERVICE } from '../../build/service.ts';
import { type FakeAnswers, fakeDesk } from '../fake-desk.ts';
import {
  buildAgain,
  cancelBuild,
  compareBuild,
  copyBuild,
  forgetBuild,
  openBuild,
} from './builds.ts';
import { buildImage } from './image.ts';

const root = mkdtempSync('/tmp/pinnace-build-commands-');
after(() => rmSync(root, { recursive: true, force: true }));

const folders = [{ name: 'w', path: root }];

function dockerfile(name: string, text: string): string {
  const path = join(root, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The request that was started, of the journal's lines. */
function started(journal: readonly string[]): Record<string, unknown> | undefined {
  const prefix = `execute ${SERVICE.start} `;
  const line = journal.find((each) => each.startsWith(prefix));
  return line === undefined
    ? undefined
    : (JSON.parse(line.slice(prefix.length)) as Record<string, unknown>);
}

describe('Build Image', () => {
  test('of a plain file asks for the tag alone, made of the folder', async () => {
    const path = dockerfile('My App/Dockerfile', 'FROM a\n');
    const desk = fakeDesk({ folders, answers: ['my-app:latest'] });
    const journal = await desk.run(buildImage, [], { scheme: 'file', fsPath: path });
    assert.deepEqual(
      journal.filter((line) => !line.startsWith('execute')),
      ['ask Build Image: tag'],
    );
    assert.deepEqual(started(journal), {
      dockerfile: path,
      context: join(root, 'My App'),
      target: '',
      tags: ['my-app:latest'],
      args: {},
      platform: '',
      noCache: false,
      pull: false,
    });
  });

  test('asks for stage and arguments, and remembers all but secrets', async () => {
    const path = dockerfile(
      'stages/Dockerfile',
      'ARG V=1\nFROM a AS one\nARG NPM_TOKEN\nFROM one AS two\n',
    );
    const desk = fakeDesk({
      folders,
      picks: ['one', 'V', 'NPM_TOKEN', '$(play) Build'],
      answers: ['x:1', '2', 's3cret'],
    });
    const journal = await desk.run(buildImage, [], { dockerfile: path });
    const request = started(journal);
    assert.equal(request?.['target'], 'one');
    assert.deepEqual(request['args'], { V: '2', NPM_TOKEN: 's3cret' });
    assert.deepEqual(desk.workspaceMemory.get(`build.${path}`), {
      target: 'one',
      tag: 'x:1',
      context: join(root, 'stages'),
      args: { V: '2' },
    });
  });

  test('of a lens has its stage already, and what is remembered is the first choice', async () => {
    const path = dockerfile('again/Dockerfile', 'ARG V=1\nFROM a AS one\nFROM a AS two\n');
    const memory = {
      target: 'two',
      tag: 'y:1',
      context: join(root, 'again'),
      args: { V: '9', PAT: 'x' },
    };
    const desk = fakeDesk({
      folders,
      memory: { [`build.${path}`]: memory },
      picks: ['$(play) Build'],
      answers: ['y:2'],
    });
    const journal = await desk.run(buildImage, [], { dockerfile: path, target: 'two' });
    assert.ok(!journal.includes('pick Build Image: stage to build'));
    assert.deepEqual(started(journal)?.['args'], { V: '9' });
  });

  test('offers the contexts that the files around name', async () => {
    const path = dockerfile('compose/docker/Dockerfile', 'FROM a\n');
    dockerfile(
      'compose/compose.yaml',
      'services:\n  api:\n    build: {context: ., dockerfile: docker/Dockerfile}\n',
    );
    const desk = fakeDesk({ folders, picks: ['compose'], answers: [''] });
    const request = started(await desk.run(buildImage, [], { dockerfile: path }));
    assert.equal(request?.['context'], join(root, 'compose'));
    assert.deepEqual(request['tags'], []);
  });

  test('starts nothing when a question is left, the tag is wrong or the file does not build', async () => {
    const path = dockerfile('left/Dockerfile', 'FROM a\n');
    for (const answer of [undefined, 'Not A Tag']) {
      const desk = fakeDesk({ folders, answers: [answer] });
      assert.equal(started(await desk.run(buildImage, [], { dockerfile: path })), undefined);
    }
    const empty = dockerfile('empty/Dockerfile', '# nothing\n');
    await assert.rejects(
      fakeDesk({ folders }).run(buildImage, [], { dockerfile: empty }),
      /no FROM/,
    );
    const gone = { dockerfile: join(root, 'gone') };
    await assert.rejects(fakeDesk({ folders }).run(buildImage, [], gone), /cannot be read/);
  });

  test('waits for trust, and says when the engine has no builder', async () => {
    const path = dockerfile('trust/Dockerfile', 'FROM a\n');
    const run = (answers: FakeAnswers) =>
      fakeDesk(answers).run(buildImage, [], { dockerfile: path });
    await assert.rejects(run({ untrusted: true }), /trust/);
    await assert.rejects(run({ missing: ['build'] }), /has no build/);
  });

  test('from the palette takes the file of the editor, or asks which', async () => {
    const path = dockerfile('palette/Dockerfile', 'FROM a\n');
    const run = (candidates: object, picks: readonly string[] = []) =>
      fakeDesk({ folders, picks, answers: ['a'], execute: () => candidates }).run(buildImage);
    assert.equal(started(await run({ active: path, files: [] }))?.['dockerfile'], path);
    const files = [join(root, 'trust/Dockerfile'), path];
    const picked = await run({ active: undefined, files }, ['palette/Dockerfile']);
    assert.equal(started(picked)?.['dockerfile'], path);
    await assert.rejects(run({ active: undefined, files: [] }), /no Dockerfile/);
  });
});

describe('the commands on builds', () => {
  const entry = (
    key: string,
    more: Partial<BuildEntry['summary']> = {},
    own = true,
  ): BuildEntry => {
    const request = {
      dockerfile: '/w/Dockerfile',
      context: '/w',
      target: '',
      tags: [key],
      args: {},
      platform: '',
      noCache: false,
      pull: false,
    };
    const summary: BuildEntry['summary'] = {
      id: `id-${key}`,
      started: `2026-01-0${key}T00:00:00Z`,
      durationMs: 1,
      status: 'succeeded',
      dockerfile: '/w/Dockerfile',
      context: '/w',
      target: '',
      tags: [key],
      argNames: [],
      platform: '',
      image: '',
      error: null,
      steps: 1,
      cached: 0,
      ...more,
    };
    return { key, summary, request: own ? request : undefined };
  };
  const entries = [entry('3', { status: 'running' }), entry('2'), entry('1')];
  const execute = (id: string): unknown =>
    id === SERVICE.entries ? entries : id === SERVICE.text ? 'the text' : undefined;
  const node = (key: string) => ({ kind: 'build', key, label: key }) as const;
  const acts = async (...args: Parameters<ReturnType<typeof fakeDesk>['run']>) => {
    const desk = fakeDesk({ execute, picks: ['1'] });
    const journal = await desk.run(...args);
    return journal.filter((line) => !line.includes(SERVICE.entries));
  };

  test('show, cancel, copy and forget what is selected', async () => {
    assert.deepEqual(await acts(openBuild, [node('2')]), [`execute ${SERVICE.open} "2"`]);
    const step = { kind: 'build-step', build: '2', index: 0 } as const;
    assert.deepEqual(await acts(openBuild, [step]), [`execute ${SERVICE.open} "2"`]);
    assert.deepEqual(await acts(openBuild, [], node('id-2')), [`execute ${SERVICE.open} "2"`]);
    assert.deepEqual(await acts(cancelBuild), [`execute ${SERVICE.cancel} "3"`]);
    assert.deepEqual((await acts(copyBuild, [node('1')])).at(-1), 'copy the text');
    assert.deepEqual(await acts(forgetBuild, [node('1'), node('2')]), [
      `execute ${SERVICE.forget} "2"`,
      `execute ${SERVICE.forget} "1"`,
    ]);
    await assert.rejects(acts(cancelBuild, [node('1')]), /No build of this window/);
  });

  test('build again as it was', async () => {
    const [act = ''] = await acts(buildAgain, [node('1')]);
    assert.match(act, /_pinnace\.build\.start \{"dockerfile":"\/w\/Dockerfile"/);
  });

  test('compare two that are selected, or one with another, the older one left', async () => {
    const both = await acts(compareBuild, [node('1'), node('2')]);
    assert.deepEqual(both, [`execute ${SERVICE.compare} "1" "2"`]);
    const one = await acts(compareBuild, [node('2')]);
    assert.deepEqual(one, ['pick Compare 2 with', `execute ${SERVICE.compare} "1" "2"`]);
  });
});
