/**
 * Plans the instructions that touch files: RUN with its mounts and heredocs, COPY and ADD with their sources. Pure, as
 * instructions.ts; what the language allows and this builder cannot do is reported at its place.
 */
import { readMount } from '../../../lib/dockerfile/mounts.ts';
import type {
  AddInstruction,
  CopyInstruction,
  Mount,
  RunInstruction,
  Word,
} from '../../../lib/dockerfile/syntax.ts';
import type { CopyAction, InlineFile, RunAction, RunMount, Source } from './graph.ts';
import { copyHistory, runHistory } from './history.ts';
import {
  commandLine,
  joinPath,
  lookupIn,
  runEnvironment,
  shellOf,
  type PlannedStep,
  type StageState,
  type StepContext,
} from './scope.ts';

/** Where BuildKit shows a heredoc that is a script of its own. */
export const SCRIPT_DIR = '/dev/pipes';

export function planRun(
  instruction: RunInstruction,
  state: StageState,
  context: StepContext,
): PlannedStep {
  if (instruction.security === 'insecure') {
    context.expander.unsupported(
      'RUN --security=insecure is not implemented: steps always run confined',
      instruction.range,
    );
  }
  for (const device of instruction.devices)
    context.expander.unsupported('RUN --device is not implemented', device.range);
  const { args, script } = runCommand(instruction, state);
  const { env, proxyEnv, args: shown } = runEnvironment(state.variables, context.buildArgs);
  const mounts = instruction.flags.flatMap((flag) =>
    flag.name === 'mount' && flag.value !== undefined ? planMount(flag.value, state, context) : [],
  );
  const asked = instruction.flags.some(({ name }) => name === 'network');
  const action: RunAction = {
    kind: 'run',
    args,
    env,
    proxyEnv,
    cwd:
      state.config.WorkingDir === undefined || state.config.WorkingDir === ''
        ? '/'
        : state.config.WorkingDir,
    user: state.config.User ?? '',
    network: asked && instruction.network !== 'default' ? instruction.network : context.network,
    mounts,
    script,
  };
  return { action, createdBy: runHistory(shown, args) };
}

/** One heredoc alone is the script itself; a heredoc within a command is given back to the shell. */
function runCommand(
  instruction: RunInstruction,
  state: StageState,
): { args: string[]; script: InlineFile | undefined } {
  const { command, heredocs } = instruction;
  const first = heredocs[0];
  if (first === undefined || command.form === 'exec')
    return { args: commandLine(command, state.config), script: undefined };
  const shell = shellOf(state.config);
  const alone =
    heredocs.length === 1 &&
    /^\d*<<-?\s*(?:"[^"]*"|'[^']*'|[^\s"'<>|&;]+)$/.test(command.command.text.trim());
  if (!alone) {
    const bodies = heredocs.map(({ content, name }) => `\n${content}${name}`);
    return { args: [...shell, command.command.text + bodies.join('')], script: undefined };
  }
  if (!first.content.startsWith('#!'))
    return { args: [...shell, first.content], script: undefined };
  const name = baseName(first.name);
  return { args: [`${SCRIPT_DIR}/${name}`], script: { name, content: first.content } };
}

function baseName(name: string): string {
  const last = name.slice(name.lastIndexOf('/') + 1);
  return last === '' || last === '.' || last === '..' ? 'script' : last;
}

function planMount(word: Word, state: StageState, context: StepContext): RunMount[] {
  const env = lookupIn(state.variables);
  const expanderOf = (value: Word): string => context.expander.word(value, env);
  const { mount, findings } = readMount(word, expanderOf);
  for (const finding of findings)
    context.expander.report(finding.code, finding.message, finding.range);
  if (findings.length > 0) return [];
  if (mount.type === 'secret' || mount.type === 'ssh') {
    if (mount.required) {
      context.expander.unsupported(
        `RUN --mount=type=${mount.type},required is not implemented: this API hands no ${mount.type} to a build`,
        word.range,
      );
    }
    return [];
  }
  return targetedMount(mount, word, { state, context });
}

function targetedMount(
  mount: Mount,
  word: Word,
  { state, context }: { state: StageState; context: StepContext },
): RunMount[] {
  const target = joinPath(state.config.WorkingDir ?? '/', mount.target?.text ?? '');
  if (target === '/') {
    const message =
      mount.target === undefined
        ? 'a mount without a target lies at WORKDIR, which is the root here: give it a target'
        : "a mount's target cannot be the root";
    context.expander.report('InvalidMount', message, word.range);
    return [];
  }
  if (mount.type === 'tmpfs') return [{ type: 'tmpfs', target, size: mount.size }];
  if (mount.type === 'bind') {
    const source: Source =
      mount.from === undefined ? { kind: 'context' } : context.resolve(mount.from.text);
    return [
      {
        type: 'bind',
        source,
        path: joinPath('/', mount.source?.text ?? '/'),
        target,
        readonly: mount.readonly,
      },
    ];
  }
  if (mount.from !== undefined || mount.source !== undefined) {
    context.expander.unsupported(
      'from and source of a cache mount are not implemented: the cache starts empty',
      word.range,
    );
    return [];
  }
  return [
    {
      type: 'cache',
      id: mount.id?.text ?? target,
      target,
      sharing: mount.sharing,
      readonly: mount.readonly,
      mode: mount.mode ?? 0o755,
      uid: mount.uid ?? 0,
      gid: mount.gid ?? 0,
    },
  ];
}

export function planCopy(
  instruction: CopyInstruction | AddInstruction,
  state: StageState,
  context: StepContext,
): PlannedStep | undefined {
  const env = lookupIn(state.variables);
  const { expander } = context;
  const starts = new Set(instruction.heredocs.map(({ range }) => range.start));
  const patterns = instruction.sources
    .filter(({ range }) => !starts.has(range.start))
    .map((word) => ({ word, text: expander.word(word, env) }));
  if (instruction.kind === 'ADD') refuseRemote(instruction, patterns, context);
  const files: InlineFile[] = instruction.heredocs.map((heredoc) => ({
    name: heredoc.name,
    content: heredoc.expand
      ? expander.content(heredoc.content, heredoc.contentRange, env)
      : heredoc.content,
  }));
  const dest = expander.word(instruction.dest, env);
  const count = patterns.length + files.length;
  const destIsDir = /(?:^|\/)\.{0,2}$/.test(dest);
  if (count > 1 && !destIsDir) {
    expander.report(
      'MissingArguments',
      `with several sources the destination of ${instruction.kind} must be a directory and end with a slash: ${dest}/`,
      instruction.dest.range,
    );
  }
  if (count === 0) return undefined;
  const from = instruction.kind === 'COPY' ? instruction.from : undefined;
  const value = (word: Word | undefined): string | undefined =>
    word === undefined ? undefined : expander.word(word, env);
  const action: CopyAction = {
    kind: 'copy',
    verb: instruction.kind,
    source: from === undefined ? { kind: 'context' } : context.resolve(from.text),
    patterns: patterns.map(({ text }) => text),
    files,
    dest: joinPath(state.config.WorkingDir ?? '/', dest),
    destIsDir,
    chown: value(instruction.chown),
    chmod: value(instruction.chmod),
    unpack: instruction.kind === 'ADD' && instruction.unpack !== false,
    parents: instruction.kind === 'COPY' && instruction.parents,
    excludes: instruction.excludes.map((word) => expander.word(word, env)),
  };
  const sources = [...action.patterns, ...files.map(({ name }) => `<<${name}`)];
  return {
    action,
    createdBy: copyHistory({
      verb: action.verb,
      from: from?.text,
      chown: action.chown,
      chmod: action.chmod,
      sources,
      dest,
    }),
  };
}

function refuseRemote(
  instruction: AddInstruction,
  patterns: readonly { word: Word; text: string }[],
  context: StepContext,
): void {
  let remote = 0;
  for (const { word, text } of patterns) {
    if (!/^(?:https?:\/\/|git:\/\/|ssh:\/\/|git@|github\.com\/)/i.test(text)) continue;
    remote++;
    context.expander.unsupported(
      `ADD from a remote source is not implemented: download ${text} before the build, or with RUN --network=host`,
      word.range,
    );
  }
  if (instruction.checksum !== undefined && remote === 0) {
    context.expander.report(
      'InvalidFlagValue',
      'ADD --checksum is for remote sources, these are files of the build context',
      instruction.checksum.range,
    );
  }
}
