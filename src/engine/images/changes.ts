/** Owns the `changes` of import and commit: Dockerfile instructions that only alter an image's configuration. Pure. */

import { expandWord } from '../../lib/dockerfile/expand.ts';
import { parseDockerfile } from '../../lib/dockerfile/parse.ts';
import type {
  Command,
  HealthcheckInstruction,
  Instruction,
  PairInstruction,
  Word,
} from '../../lib/dockerfile/syntax.ts';
import { EngineError } from '../../lib/errors.ts';
import type { RunConfig } from '../../lib/image/config.ts';

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];

/** The configuration with the changes applied in order. Throws `invalid` naming the change. */
export function applyChanges(config: RunConfig, changes: readonly string[]): RunConfig {
  let result = config;
  for (const change of changes) {
    const { instructions, problems } = parseDockerfile(change);
    // A change stands alone: that it has no FROM before it is no fault.
    const fault = problems.find(
      (problem) => problem.severity === 'error' && !/\bFROM\b/i.test(problem.message),
    );
    if (fault !== undefined)
      throw new EngineError('invalid', `the change "${change}": ${fault.message}`);
    for (const instruction of instructions) result = applyOne(result, instruction, change);
  }
  return result;
}

function applyOne(config: RunConfig, instruction: Instruction, change: string): RunConfig {
  const expand = (word: Word): string =>
    expandWord(word, environment(config), { escape: '\\' }).value;
  switch (instruction.kind) {
    case 'CMD':
      return { ...config, Cmd: commandLine(instruction.command, config) };
    case 'ENTRYPOINT':
      return { ...config, Entrypoint: commandLine(instruction.command, config) };
    case 'ENV':
      return { ...config, Env: withPairs(config.Env ?? [], pairsOf(instruction, expand)) };
    case 'LABEL':
      return {
        ...config,
        Labels: Object.fromEntries([
          ...Object.entries(config.Labels ?? {}),
          ...pairsOf(instruction, expand),
        ]),
      };
    case 'EXPOSE': {
      const ports = instruction.words
        .map(expand)
        .map((port) => (port.includes('/') ? port : `${port}/tcp`));
      const wrong = ports.find((port) => !/^\d{1,5}(?:-\d{1,5})?\/(?:tcp|udp|sctp)$/.test(port));
      if (wrong !== undefined)
        throw new EngineError('invalid', `the change "${change}": invalid port ${wrong}`);
      return { ...config, ExposedPorts: { ...config.ExposedPorts, ...asSet(ports) } };
    }
    case 'VOLUME':
      return { ...config, Volumes: { ...config.Volumes, ...asSet(instruction.words.map(expand)) } };
    case 'USER':
      return { ...config, User: expand(instruction.value) };
    case 'WORKDIR':
      return { ...config, WorkingDir: joined(config.WorkingDir ?? '/', expand(instruction.value)) };
    case 'STOPSIGNAL':
      return { ...config, StopSignal: expand(instruction.value) };
    case 'SHELL':
      return { ...config, Shell: instruction.words.map((word) => word.text) };
    case 'ONBUILD':
      return { ...config, OnBuild: [...(config.OnBuild ?? []), instruction.trigger] };
    case 'HEALTHCHECK':
      return { ...config, Healthcheck: health(instruction, config) };
    default:
      throw new EngineError(
        'invalid',
        `the change "${change}": ${instruction.kind} is not valid here; only CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME and WORKDIR are`,
      );
  }
}

function commandLine(command: Command, config: RunConfig): string[] {
  if (command.form === 'exec') return command.words.map((word) => word.text);
  return [...(config.Shell ?? DEFAULT_SHELL), command.command.text];
}

function health(
  instruction: HealthcheckInstruction,
  config: RunConfig,
): NonNullable<RunConfig['Healthcheck']> {
  const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
  if (command === undefined) return { Test: ['NONE'] };
  const test =
    command.form === 'exec'
      ? ['CMD', ...commandLine(command, config)]
      : ['CMD-SHELL', command.command.text];
  return {
    Test: test,
    ...(interval === undefined ? {} : { Interval: interval }),
    ...(timeout === undefined ? {} : { Timeout: timeout }),
    ...(startPeriod === undefined ? {} : { StartPeriod: startPeriod }),
    ...(startInterval === undefined ? {} : { StartInterval: startInterval }),
    ...(retries === undefined ? {} : { Retries: retries }),
  };
}

function pairsOf(instruction: PairInstruction, expand: (word: Word) => string): [string, string][] {
  return instruction.pairs.map(({ name, value }) => [
    expand(name),
    value === undefined ? '' : expand(value),
  ]);
}

function withPairs(
  env: readonly string[],
  pairs: readonly (readonly [string, string])[],
): string[] {
  const result = new Map(env.map((entry) => [entry.split('=', 1)[0] ?? '', entry]));
  for (const [name, value] of pairs) result.set(name, `${name}=${value}`);
  return [...result.values()];
}

function environment(config: RunConfig): (name: string) => string | undefined {
  const table = new Map(
    (config.Env ?? []).map((entry) => [
      entry.split('=', 1)[0] ?? '',
      entry.slice(entry.indexOf('=') + 1),
    ]),
  );
  return (name) => table.get(name);
}

function asSet(names: readonly string[]): Record<string, Record<string, never>> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

function joined(before: string, path: string): string {
  const text = path.startsWith('/') ? path : `${before}/${path}`;
  const parts: string[] = [];
  for (const part of text.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
