/** Tests of the commands with an editor and a command line made for the test. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { EngineError } from '../../lib/errors.ts';
import type { CliAnswer } from '../engine/cli.ts';
import { SETTINGS } from '../engine/settings.ts';
import type { Command, Desk } from './desk.ts';
import { doctor, printDiagnosis } from './doctor.ts';
import { engineStart } from './engine-start.ts';
import { engineStop } from './engine-stop.ts';
import { COMMANDS } from './table.ts';

interface Script {
  readonly answer: CliAnswer | Error;
  readonly choose?: string;
}

/** Runs a command and gives what the user and the command line saw of it. */
async function run(command: Command, { answer, choose }: Script): Promise<string[]> {
  const seen: string[] = [];
  const desk: Desk = {
    cli: {
      run: (args) => {
        seen.push(`run ${args.join(' ')}`);
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    },
    engine: { refresh: () => Promise.resolve(void seen.push('refresh')) },
    startArguments: () => ['--mode', 'rootless'],
    inform: (message) => void seen.push(`inform ${message}`),
    complain: (message, ...actions) => {
      seen.push(['complain', message, ...actions].join(' | '));
      return Promise.resolve(choose);
    },
    progress: (_title, work) => work(new AbortController().signal),
    show: ({ name, text }) => Promise.resolve(void seen.push(`show ${name}: ${text}`)),
    execute: (id) => Promise.resolve(void seen.push(`execute ${id}`)),
  };
  await command.run(desk);
  return seen;
}

const said = (status: number, stdout: string, stderr = ''): CliAnswer => ({
  status,
  stdout,
  stderr,
});

test('starting says where the engine serves, and looks at it again', async () => {
  const answer = said(
    0,
    '{"socket":"/run/p/engine.sock","pid":7,"mode":"rootless","started":true}\n',
  );
  assert.deepEqual(await run(engineStart, { answer }), [
    'run engine start --json --mode rootless',
    'inform The Pinnace engine serves unix:///run/p/engine.sock',
    'refresh',
  ]);
});

test('a start that fails shows the reason and offers the doctor', async () => {
  const answer = said(1, '', 'pinnace: no user namespaces\n');
  assert.deepEqual(await run(engineStart, { answer, choose: 'Run Doctor' }), [
    'run engine start --json --mode rootless',
    'refresh',
    'complain | The Pinnace engine did not start: no user namespaces | Run Doctor',
    'execute pinnace.doctor',
  ]);
});

test('a cancelled start complains of nothing', async () => {
  const seen = await run(engineStart, { answer: new EngineError('cancelled', 'x') });
  assert.deepEqual(seen, ['run engine start --json --mode rootless', 'refresh']);
});

test('stopping says what the command said, and a failure is shown', async () => {
  assert.deepEqual(await run(engineStop, { answer: said(0, 'no engine was running\n') }), [
    'run engine stop',
    'inform Pinnace: no engine was running',
    'refresh',
  ]);
  assert.deepEqual(await run(engineStop, { answer: new Error('no program') }), [
    'run engine stop',
    'complain | The Pinnace engine could not be stopped: no program',
    'refresh',
  ]);
});

test('the doctor shows its findings with the worst first, also when the command ends with status 1', async () => {
  const findings = [
    { id: 'a', level: 'ok', message: 'fine', remedy: null },
    { id: 'b', level: 'fail', message: 'no uidmap', remedy: 'apt-get install uidmap' },
  ] as const;
  const diagnosis = { mode: 'none', findings, probe: null } as const;
  const [, shown] = await run(doctor, { answer: said(1, JSON.stringify(diagnosis)) });
  assert.equal(shown, `show Pinnace Doctor: ${printDiagnosis(diagnosis)}`);
  assert.match(shown, /✗ no uidmap\n {4}→ apt-get install uidmap\n✓ fine\n$/);
});

test('a doctor that ends without findings is a failure with its reason', async () => {
  assert.deepEqual(await run(doctor, { answer: said(1, '', 'pinnace: broken') }), [
    'run doctor --json',
    'complain | Pinnace Doctor failed: broken',
  ]);
});

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { command: string; title: string; category: string }[];
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
  };
}

test("the table's commands and settings are those of package.json", () => {
  const path = new URL('../../../package.json', import.meta.url);
  const { contributes } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  assert.deepEqual(
    contributes.commands,
    COMMANDS.map(({ id, title }) => ({ command: id, title, category: 'Pinnace' })),
  );
  for (const { key } of SETTINGS) {
    assert.ok(Object.hasOwn(contributes.configuration.properties, `pinnace.${key}`), key);
  }
});
