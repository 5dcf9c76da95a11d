/** The texts for translators: all of the manifest's, all that commands say; a made-up language shows whether any was missed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContainerSummary } from '../../src/lib/api/containers.ts';
import { CONTAINER_COMMANDS } from '../../src/extension/commands/containers/table.ts';
import { type FakeAnswers, fakeDesk } from '../../src/extension/commands/fake-desk.ts';
import { containerNode } from '../../src/extension/commands/targets.ts';
import { containerRow, portRow } from '../../src/extension/views/containers/row.ts';
import { factByFact, translator } from '../../src/extension/words/translate.ts';
import { localized, sentences, sentencesOf } from './l10n.ts';
import { ROOT } from './shell.ts';

/** A language in which every sentence stands in brackets and is written with accents. */
const PSEUDO = Object.fromEntries(
  Object.keys(sentences()).map((text) => [text, `⟦${accented(text)}⟧`]),
);
const say = translator(PSEUDO);

function accented(text: string): string {
  const accents: Readonly<Record<string, string>> = { a: 'á', e: 'é', i: 'í', o: 'ó', u: 'ú' };
  return text.replaceAll(/[aeiou]/g, (letter) => accents[letter] ?? letter);
}

test('the manifest has a key for every text that people read, and no other text is touched', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    contributes: { commands: { command: string; title: string }[] };
  };
  const { manifest: keyed, words } = localized(manifest);
  const back = JSON.stringify(keyed).replaceAll(/"%([^"%]+)%"/g, (_, key: string) =>
    JSON.stringify(words[key]),
  );
  assert.deepEqual(
    { ...(JSON.parse(back) as object), l10n: undefined },
    { ...manifest, l10n: undefined },
  );
  const left = [...JSON.stringify(keyed.contributes).matchAll(TEXT)].map(([text]) => text);
  assert.deepEqual(left, []);
  assert.ok(keyed.contributes.commands.every(({ command }) => command.startsWith('pinnace.')));
});

/** A property of the manifest that is shown and has words in it. */
const TEXT =
  /"(?:title|description|markdownDescription|label|contents|altText|category)":"[^"%]*[a-z]{2,}[^"%]*"/g;

test('sentences are found where they are said, with places for what is put in', () => {
  const source = `
    import x from 'not this one';
    const a = { message: \`Remove \${name}?\`, kind: 'container', detail: 'Its files are lost.' };
    log.debug('this is for us alone');
    throw new EngineError('conflict', \`\${name} is there already: \${b ? 'choose another' : ''}\`);
    await forEach(desk, { doing: 'Stopping', verb: 'stop', one: 'container' });
  `;
  assert.deepEqual(sentencesOf('x.ts', source), [
    'Remove {0}?',
    'Its files are lost.',
    '{0} is there already: {1}',
    'choose another',
    'Stopping',
    'Stopping {0}',
    'Could not stop {0}',
    '1 container',
    '{0} containers',
  ]);
});

function summary(name: string, state: string): ContainerSummary {
  return {
    Id: name.padEnd(64, '0'),
    Names: [`/${name}`],
    Image: 'busybox',
    State: state,
    Status: 'Up 3 minutes',
    Ports: [{ PrivatePort: 80, Type: 'tcp' }],
    Labels: {},
  } as unknown as ContainerSummary;
}

/** What a command says to the user, in its own English. */
async function said(verb: string, answers: FakeAnswers): Promise<string[]> {
  const command = CONTAINER_COMMANDS.find(({ id }) => id === `pinnace.container.${verb}`);
  assert.ok(command, verb);
  const desk = fakeDesk(answers);
  const targets = ['web', 'db'].map((name) => containerNode(summary(name, 'running')));
  const failed: string[] = [];
  await desk.run(command, targets).catch((error: unknown) => {
    failed.push(error instanceof Error ? error.message : String(error));
  });
  const spoken = desk.journal.flatMap((line) =>
    line
      .split(' | ')
      .flatMap(
        (part) =>
          /^(?:inform|complain|confirm|progress|ask|pick|pickMany) (.*)$/s.exec(part)?.[1] ?? [],
      ),
  );
  return [...spoken, ...failed];
}

test('whatever commands on containers say is said in a language that was made up', async () => {
  const works = (): Promise<undefined> => Promise.resolve(undefined);
  const fails = (): Promise<never> => Promise.reject(new Error('the engine ended'));
  const verbs = ['stop', 'restart', 'pause', 'kill', 'remove', 'start'];
  const all: string[] = [];
  for (const call of [works, fails]) {
    const client = { containers: Object.fromEntries(verbs.map((verb) => [verb, call])) };
    for (const verb of ['stop', 'restart', 'pause', 'remove'])
      all.push(...(await said(verb, { client })));
  }
  assert.ok(all.length >= 8, all.join('\n'));
  assert.deepEqual(
    all.filter((text) => !say(text).startsWith('⟦')),
    [],
  );
  assert.match(say('Stopping 2 containers'), /^⟦Stóppíng ⟦2 cóntáínérs⟧⟧$/);
  assert.match(say('Stopping web'), /^⟦Stóppíng web⟧$/);
});

test('rows say their facts in the language, and names as they are', () => {
  const row = containerRow(containerNode(summary('web', 'running')), {
    status: 'running',
    foldable: false,
  });
  assert.equal(factByFact(say, row.description ?? ''), 'busybox · ⟦rúnníng⟧');
  assert.match(
    factByFact(say, row.accessible, ', '),
    /^⟦cóntáínér web⟧, ⟦rúnníng⟧, ⟦ímágé busybox⟧/,
  );
  const port = portRow({
    kind: 'port',
    container: 'c',
    port: 80,
    protocol: 'tcp',
    published: undefined,
  });
  assert.equal(say(port.description ?? ''), '⟦nót públíshéd⟧');
});
