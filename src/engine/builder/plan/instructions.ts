/**
 * Turns one instruction of a stage into a step: its words resolved, the configuration it leaves behind, and what it does
 * to the file system, as data. Pure: what cannot be built becomes a problem at its place, never an exception.
 */
import type {
  CommandInstruction,
  HealthcheckInstruction,
  Instruction,
  PairInstruction,
  ValueInstruction,
  Word,
  WordsInstruction,
} from '../../../lib/dockerfile/syntax.ts';
import { isSignal } from '../../../lib/dockerfile/signals.ts';
import type { HealthConfig } from '../../../lib/image/config.ts';
import type { Action } from './graph.ts';
import { layerHistory, listHistory, pairsHistory, plainListHistory } from './history.ts';
import {
  commandLine,
  givenArg,
  joinPath,
  lookupIn,
  PROXY_ARGS,
  withEnv,
  type PlannedStep,
  type StageState,
  type StepContext,
} from './scope.ts';
import { planCopy, planRun } from './transfer.ts';

const META: Action = { kind: 'meta' };

/** The step of an instruction; undefined for one that makes none. */
export function planInstruction(
  instruction: Instruction,
  state: StageState,
  context: StepContext,
): PlannedStep | undefined {
  switch (instruction.kind) {
    case 'RUN':
      return planRun(instruction, state, context);
    case 'COPY':
    case 'ADD':
      return planCopy(instruction, state, context);
    case 'ARG':
      return planArg(instruction, state, context);
    case 'ENV':
      return planEnv(instruction, state, context);
    case 'LABEL':
      return planLabel(instruction, state, context);
    case 'CMD':
    case 'ENTRYPOINT':
      return planCommand(instruction, state);
    case 'SHELL': {
      const shell = instruction.words.map(({ text }) => text);
      state.config = { ...state.config, Shell: shell };
      return { action: META, createdBy: plainListHistory('SHELL', shell) };
    }
    case 'HEALTHCHECK':
      return planHealthcheck(instruction, state);
    case 'EXPOSE':
    case 'VOLUME':
      return planWords(instruction, state, context);
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
    case 'MAINTAINER':
      return planValue(instruction, state, context);
    case 'ONBUILD':
      state.config = {
        ...state.config,
        OnBuild: [...(state.config.OnBuild ?? []), instruction.trigger],
      };
      return { action: META, createdBy: `ONBUILD ${instruction.trigger}` };
    case 'FROM':
    case 'UNKNOWN':
      return undefined;
  }
}

function planArg(
  instruction: PairInstruction,
  state: StageState,
  context: StepContext,
): PlannedStep {
  const pairs: [string, string | undefined][] = [];
  const { args } = state.variables;
  for (const pair of instruction.pairs) {
    const env = lookupIn(state.variables);
    const name = context.expander.word(pair.name, env);
    const standard = pair.value === undefined ? undefined : context.expander.word(pair.value, env);
    const inherited = pair.value === undefined ? context.globals.get(name) : undefined;
    const value = givenArg(context.buildArgs, name) ?? standard ?? inherited;
    args.set(name, value);
    pairs.push([name, PROXY_ARGS.has(name) ? undefined : value]);
  }
  return { action: META, createdBy: pairsHistory('ARG', pairs) };
}

function planEnv(
  instruction: PairInstruction,
  state: StageState,
  context: StepContext,
): PlannedStep {
  const pairs = expandPairs(instruction, state, context);
  let env = state.variables.env;
  for (const [name, value] of pairs) env = withEnv(env, name, value);
  state.variables.env = env;
  state.config = { ...state.config, Env: [...env] };
  return { action: META, createdBy: pairsHistory('ENV', pairs) };
}

function planLabel(
  instruction: PairInstruction,
  state: StageState,
  context: StepContext,
): PlannedStep {
  const pairs = expandPairs(instruction, state, context);
  state.config = { ...state.config, Labels: withLabels(state.config.Labels, pairs) };
  return { action: META, createdBy: pairsHistory('LABEL', pairs) };
}

/** Label names are data of strangers: the table has no prototype to reach. */
export function withLabels(
  labels: Record<string, string> | undefined,
  pairs: readonly (readonly [string, string])[],
): Record<string, string> {
  return Object.fromEntries([...Object.entries(labels ?? {}), ...pairs]);
}

/** All values are expanded with what held before the instruction. */
function expandPairs(
  instruction: PairInstruction,
  state: StageState,
  { expander }: StepContext,
): [string, string][] {
  const env = lookupIn(state.variables);
  return instruction.pairs.map((pair) => [
    expander.word(pair.name, env),
    pair.value === undefined ? '' : expander.word(pair.value, env),
  ]);
}

function planCommand(instruction: CommandInstruction, state: StageState): PlannedStep {
  const words = commandLine(instruction.command, state.config);
  const escaped = { ArgsEscaped: true };
  if (instruction.kind === 'CMD') {
    state.config = { ...state.config, Cmd: words, ...escaped };
    state.cmdSet = true;
  } else {
    state.config = {
      ...state.config,
      Entrypoint: words,
      ...escaped,
      ...(state.cmdSet ? {} : { Cmd: null }),
    };
  }
  return { action: META, createdBy: listHistory(instruction.kind, words) };
}

function planHealthcheck(instruction: HealthcheckInstruction, state: StageState): PlannedStep {
  const { command } = instruction;
  const health: HealthConfig = { Test: ['NONE'] };
  if (command !== undefined) {
    health.Test =
      command.form === 'exec'
        ? ['CMD', ...command.words.map(({ text }) => text)]
        : ['CMD-SHELL', command.command.text];
  }
  if (instruction.interval !== undefined) health.Interval = instruction.interval;
  if (instruction.timeout !== undefined) health.Timeout = instruction.timeout;
  if (instruction.startPeriod !== undefined) health.StartPeriod = instruction.startPeriod;
  if (instruction.startInterval !== undefined) health.StartInterval = instruction.startInterval;
  if (instruction.retries !== undefined) health.Retries = instruction.retries;
  state.config = { ...state.config, Healthcheck: health };
  return { action: META, createdBy: instruction.original };
}

function planWords(
  instruction: WordsInstruction,
  state: StageState,
  context: StepContext,
): PlannedStep {
  const env = lookupIn(state.variables);
  if (instruction.kind === 'VOLUME') {
    const volumes = instruction.words.map((word) => context.expander.word(word, env));
    for (const [at, volume] of volumes.entries()) {
      if (volume.trim() === '')
        reportAt(context, instruction.words[at], 'VOLUME needs a path, this word is empty');
    }
    state.config = { ...state.config, Volumes: withNames(state.config.Volumes, volumes) };
    return { action: META, createdBy: plainListHistory('VOLUME', volumes) };
  }
  const ports: string[] = [];
  for (const word of instruction.words) {
    for (const text of context.expander.words(word, env)) {
      const named = readPorts(text);
      if (named === undefined)
        reportAt(context, word, `invalid port '${text}': write PORT, PORT/udp or FIRST-LAST`);
      else ports.push(...named);
    }
  }
  const sorted = [...new Set(ports)].sort();
  state.config = { ...state.config, ExposedPorts: withNames(state.config.ExposedPorts, sorted) };
  return { action: META, createdBy: plainListHistory('EXPOSE', sorted) };
}

function reportAt({ expander }: StepContext, word: Word | undefined, message: string): void {
  if (word !== undefined) expander.report('SyntaxError', message, word.range);
}

function withNames(
  table: Record<string, Record<string, never>> | undefined,
  names: readonly string[],
): Record<string, Record<string, never>> {
  return Object.fromEntries([
    ...Object.entries(table ?? {}),
    ...names.map((name) => [name, {}] as const),
  ]);
}

/** `[[address:]host:]FIRST[-LAST][/protocol]` as a list of `PORT/protocol`; undefined when it is not a port. */
function readPorts(text: string): string[] | undefined {
  const [address = '', protocol = 'tcp', ...more] = text.split('/');
  const kind = protocol.toLowerCase();
  if (more.length > 0 || !['tcp', 'udp', 'sctp'].includes(kind)) return undefined;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(address.slice(address.lastIndexOf(':') + 1));
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (first > last || last > 65_535) return undefined;
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${kind}`);
}

function planValue(
  instruction: ValueInstruction,
  state: StageState,
  context: StepContext,
): PlannedStep {
  const { value: word } = instruction;
  if (instruction.kind === 'MAINTAINER') {
    state.author = word.text;
    return { action: META, createdBy: `MAINTAINER ${word.text}` };
  }
  const value = context.expander.word(word, lookupIn(state.variables));
  if (instruction.kind === 'USER') {
    state.config = { ...state.config, User: value };
    return { action: META, createdBy: `USER ${value}` };
  }
  if (instruction.kind === 'STOPSIGNAL') {
    if (!isSignal(value)) {
      reportAt(
        context,
        word,
        `invalid signal '${value}': write a name such as SIGTERM or a number`,
      );
    }
    state.config = { ...state.config, StopSignal: value };
    return { action: META, createdBy: `STOPSIGNAL ${value}` };
  }
  if (value === '') reportAt(context, word, 'WORKDIR needs a path, this one is empty');
  const path = joinPath(state.config.WorkingDir ?? '/', value);
  const owner =
    state.config.User === undefined || state.config.User === '' ? undefined : state.config.User;
  state.config = { ...state.config, WorkingDir: path };
  return { action: { kind: 'workdir', path, owner }, createdBy: layerHistory(`WORKDIR ${path}`) };
}
