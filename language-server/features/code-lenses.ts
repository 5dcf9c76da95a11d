/** Code lenses: the last build above the first stage, and above each stage what builds it where the client has such commands. Pure. */
import type { CodeLens } from 'vscode-languageserver/node';
import type { BuildRecord } from '../../src/lib/api/builds.ts';
import type { Dockerfile, Stage } from '../../src/lib/dockerfile/syntax.ts';
import { agoText } from '../../src/lib/text/amounts.ts';
import { secondsText } from './builds.ts';
import { rangeAt } from './positions.ts';

export interface LensRequest {
  readonly file: Dockerfile;
  /** The Dockerfile's path; undefined where it is on no disk: then nothing can be built. */
  readonly path: string | undefined;
  readonly record: BuildRecord | undefined;
  /** The client has `pinnace.build.image`, `.runStage`, `.shellInStage` and `.open`. */
  readonly commands: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function codeLensesOf(request: LensRequest): CodeLens[] {
  const { file, path, record, commands } = request;
  const [first] = file.stages;
  if (first === undefined) return [];
  const canBuild = commands && path !== undefined;
  const lenses: CodeLens[] = [];
  const add = (stage: Stage, title: string, command = '', argument?: unknown): void => {
    const range = rangeAt(file.lines, stage.from.keyword.range);
    const args = argument === undefined ? {} : { arguments: [argument] };
    lenses.push({ range, command: { title, command, ...args } });
  };
  if (canBuild) add(first, 'Build Image', 'pinnace.build.image', { dockerfile: path });
  for (const stage of file.stages) {
    const isLast = stage === file.stages.at(-1);
    if (!canBuild) continue;
    const target = isLast ? '' : (stage.from.name?.text ?? String(stage.index));
    const argument = { dockerfile: path, target };
    if (!isLast) add(stage, 'Build to This Stage', 'pinnace.build.image', argument);
    add(stage, 'Run This Stage', 'pinnace.build.runStage', argument);
    add(stage, 'Shell Here', 'pinnace.build.shellInStage', argument);
  }
  if (record !== undefined) {
    const title = lastText(record, request.now);
    if (commands)
      add(first, title, 'pinnace.build.open', { kind: 'build', key: record.id, label: '' });
    else add(first, title);
  }
  return lenses;
}

/** `Last build: 12 s, 3 of 5 steps cached, 2 h ago`. */
function lastText(
  { status, durationMs, steps, cached, started }: BuildRecord,
  now: number,
): string {
  const time = secondsText(durationMs) || 'under 0.1 s';
  const result = status === 'succeeded' ? time : `${status} after ${time}`;
  const hits = cached === 0 ? '' : `, ${String(cached)} of ${String(steps)} steps cached`;
  return `Last build: ${result}${hits}, ${agoText(now - Date.parse(started))}`;
}
