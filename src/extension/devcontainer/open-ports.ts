/** The ports of open containers: looked at while the window lives; carried to this machine, told and opened as devcontainer.json says. Knows no editor. */
import type { ListeningPort } from '../../lib/api/containers.ts';
import type { DevContainerConfig } from '../../lib/devcontainer/config.ts';
import type { Forwards } from '../ports/forward.ts';
import { type PortNews, PortWatch } from './ports.ts';

/** The container of a window. */
export interface PortOwner {
  readonly containerId: string;
  readonly name: string;
  /** Of the server inside, which is nobody's news. */
  readonly port: number;
  readonly config: DevContainerConfig | undefined;
}

export interface ToldPort extends PortNews {
  /** The container's name. */
  readonly of: string;
  /** The port of this machine that leads there already. */
  readonly local: number | undefined;
}

/** What of the engine and the editor is needed. */
export interface PortSite {
  readonly forwards: Forwards;
  listening(container: string): Promise<readonly ListeningPort[]>;
  /** Tells of a port; true when the user wants to see it. */
  tell(port: ToldPort): Promise<boolean>;
  /** Shows an address of this machine. */
  show(address: string, place: 'browser' | 'preview'): Promise<void>;
  complain(error: unknown): void;
}

/** Milliseconds between two looks. */
const LOOK_MS = 2000;

interface Watched {
  readonly timer: NodeJS.Timeout;
  readonly carried: Set<number>;
}

export class OpenPorts {
  private readonly site: PortSite;
  private readonly watched = new Map<string, Watched>();

  constructor(site: PortSite) {
    this.site = site;
  }

  watch(owner: PortOwner): void {
    const { containerId } = owner;
    if (this.watched.has(containerId)) return;
    const watch = new PortWatch(owner.config, [owner.port]);
    const look = async (): Promise<void> => {
      let ports: readonly ListeningPort[];
      try {
        ports = await this.site.listening(containerId);
      } catch {
        // Stopped, or the engine is away: the next look tells.
        return;
      }
      if (!this.watched.has(containerId)) return;
      this.leave(containerId, ports);
      for (const news of watch.next(ports)) void this.hear(owner, news);
    };
    const timer = setInterval(() => void look(), LOOK_MS);
    this.watched.set(containerId, { timer, carried: new Set() });
    void look();
  }

  unwatch(container: string): void {
    clearInterval(this.watched.get(container)?.timer);
    this.leave(container, []);
    this.watched.delete(container);
  }

  dispose(): void {
    for (const container of [...this.watched.keys()]) this.unwatch(container);
    this.site.forwards.close();
  }

  /** Ports on which nothing listens any more are free again here too. */
  private leave(container: string, ports: readonly ListeningPort[]): void {
    const carried = this.watched.get(container)?.carried;
    for (const port of carried ?? []) {
      if (ports.some((entry) => entry.port === port)) continue;
      carried?.delete(port);
      this.site.forwards.stop(container, port);
    }
  }

  private async hear({ containerId, name }: PortOwner, news: PortNews): Promise<void> {
    const { action, port } = news;
    try {
      const local = news.named ? await this.carry(containerId, port) : undefined;
      if (action === 'silent') return;
      if (action === 'notify' && !(await this.site.tell({ ...news, of: name, local }))) return;
      // The answer may come when the container has long been left.
      if (!this.watched.has(containerId)) return;
      const carried = await this.carry(containerId, port);
      const place = action === 'preview' ? 'preview' : 'browser';
      await this.site.show(`${news.protocol}://127.0.0.1:${String(carried)}/`, place);
    } catch (error) {
      this.site.complain(error);
    }
  }

  private async carry(container: string, port: number): Promise<number> {
    this.watched.get(container)?.carried.add(port);
    return this.site.forwards.open(container, port);
  }
}
