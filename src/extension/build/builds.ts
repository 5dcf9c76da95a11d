/** Starts builds and tells of them: the one place where a build of this window begins. Knows no editor. */
import type { Advance } from '../../client/build/progress.ts';
import type { Engines, Listener } from '../engine/engines.ts';
import { Listeners } from '../views/row.ts';
import { BuildJournal } from './journal.ts';
import type { BuildRequest } from './request.ts';
import { runBuild, type RunningBuild } from './run.ts';

export interface BuildNews {
  readonly key: string;
  readonly build: RunningBuild;
  readonly changes: readonly Advance[];
}

export interface StartedBuild {
  readonly key: string;
  readonly abort: AbortController;
  /** Never rejects. */
  readonly done: Promise<RunningBuild>;
}

export class Builds {
  readonly journal: BuildJournal;
  private readonly engines: Engines;
  private readonly now: () => number;
  private readonly news = new Listeners<BuildNews>();
  private readonly ended = new Listeners<RunningBuild>();
  private readonly running = new Set<AbortController>();
  private serial = 0;

  constructor(engines: Engines, now: () => number) {
    this.engines = engines;
    this.now = now;
    this.journal = new BuildJournal(engines);
  }

  onNews(listener: (news: BuildNews) => void): Listener {
    return this.news.add(listener);
  }

  onEnd(listener: (build: RunningBuild) => void): Listener {
    return this.ended.add(listener);
  }

  /** Begins a build on the active engine, which is made ready first. Rejects when there is no engine. */
  async start(request: BuildRequest, signal?: AbortSignal): Promise<StartedBuild> {
    const engine = await this.engines.ready(signal);
    const abort = new AbortController();
    this.running.add(abort);
    this.serial += 1;
    const key = `window-${String(this.serial)}`;
    const done = runBuild({
      id: key,
      client: engine.client,
      hasRecords: engine.has('pinnace'),
      request,
      signal: abort.signal,
      now: this.now,
      onAdvance: (build, changes) => {
        this.journal.note(key, build, abort);
        this.news.call({ key, build, changes });
      },
    }).then((build) => {
      this.running.delete(abort);
      this.ended.call(build);
      void this.journal.refresh();
      return build;
    });
    return { key, abort, done };
  }

  /** Stops what runs. */
  dispose(): void {
    for (const abort of this.running) abort.abort();
  }
}
