/** Tests of the ways into a container: every editor that there is, every setting, and the reasons that are shown. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EngineError } from '../../lib/errors.ts';
import { type ResolverState, type Way, type WayFacts, wayOf, WAYS } from './choice.ts';

const EDITORS: Record<string, { facts: WayFacts; auto: Way | 'none' }> = {
  'a desktop VS Code with the ordinary package': { facts: facts('absent'), auto: 'none' },
  'the same with Remote-SSH': { facts: facts('absent', 'ssh'), auto: 'ssh' },
  'a desktop with the resolvers package, not allowed': { facts: facts('refused'), auto: 'none' },
  'the same with Remote-SSH, not allowed': { facts: facts('refused', 'ssh'), auto: 'ssh' },
  'a desktop with the resolvers package': { facts: facts('ready', 'ssh'), auto: 'resolver' },
  'code-server': { facts: facts('web', 'server'), auto: 'browser' },
  'a VS Code Server behind Remote-SSH': { facts: facts('remote', 'server'), auto: 'browser' },
  'a server that opens folders over SSH too': {
    facts: facts('absent', 'server', 'ssh'),
    auto: 'browser',
  },
};

for (const [name, { facts: found, auto }] of Object.entries(EDITORS)) {
  test(`${name}: ${auto}`, () => {
    const open = new Set(WAYS.filter((row) => row.missing(found) === undefined).map(wayName));
    if (auto === 'none') assert.throws(() => wayOf('auto', found), allReasons(found));
    else assert.equal(wayOf('auto', found).way, auto);
    for (const { way, missing } of WAYS) {
      if (open.has(way)) assert.equal(wayOf(way, found).way, way);
      else
        assert.throws(
          () => wayOf(way, found),
          (error: unknown) => error instanceof EngineError && says(error, missing(found)),
        );
    }
  });
}

test('what is taken is told with the reasons against the others', () => {
  const { why } = wayOf('auto', facts('web', 'server'));
  assert.match(why, /^opening a browser window \(not /);
  assert.match(why, /a browser never asks extensions/);
  assert.match(why, /ms-vscode-remote\.remote-ssh/);
  assert.equal(
    wayOf('auto', facts('ready', 'server', 'ssh')).why,
    'opening a window of this editor',
  );
});

test('a way that is asked for and missing names those that are there', () => {
  assert.throws(
    () => wayOf('resolver', facts('refused', 'ssh')),
    /enable-proposed-api[^]*set it to auto or ssh/,
  );
  assert.throws(() => wayOf('browser', facts('absent')), /there is no other way/);
});

test('a setting that is none is as if it were not there', () => {
  assert.equal(wayOf(undefined, facts('web', 'server')).way, 'browser');
  assert.equal(wayOf('teleport', facts('web', 'server')).way, 'browser');
});

test('the setting offers exactly these ways', () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { contributes } = JSON.parse(text) as {
    contributes: { configuration: { properties: Record<string, { enum?: string[] }> } };
  };
  const offered = contributes.configuration.properties['pinnace.devcontainer.open']?.enum;
  assert.deepEqual(offered?.toSorted(), ['auto', ...WAYS.map(wayName)].toSorted());
});

function facts(resolver: ResolverState, ...more: ('server' | 'ssh')[]): WayFacts {
  return { resolver, server: more.includes('server'), ssh: more.includes('ssh') };
}

function wayName({ way }: { readonly way: Way }): Way {
  return way;
}

function says(error: Error, reason: string | undefined): boolean {
  return reason !== undefined && error.message.includes(reason);
}

function allReasons(found: WayFacts) {
  return (error: unknown): boolean =>
    error instanceof EngineError && WAYS.every(({ missing }) => says(error, missing(found)));
}
