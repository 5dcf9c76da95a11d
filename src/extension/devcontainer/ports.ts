/** What is done with ports that programs of a container listen on, as devcontainer.json says: once for each that comes. Pure. */
import type { ListeningPort } from '../../lib/api/containers.ts';
import type { DevContainerConfig, PortAttributes } from '../../lib/devcontainer/config.ts';

export interface PortNews {
  readonly port: number;
  /** For people: label or program. */
  readonly label: string | undefined;
  readonly action: 'notify' | 'browser' | 'preview' | 'silent';
  /** Whether the configuration names it: what nobody named is not carried to this machine before somebody wants it. */
  readonly named: boolean;
  readonly protocol: 'http' | 'https';
}

/** News of ports that were not there at the last look; `hidden` are our own. Ports that go may come as news again. */
export class PortWatch {
  private readonly config: DevContainerConfig | undefined;
  private readonly hidden: ReadonlySet<number>;
  private seen: ReadonlySet<number> = new Set();
  private readonly opened = new Set<number>();

  constructor(config: DevContainerConfig | undefined, hidden: readonly number[]) {
    this.config = config;
    this.hidden = new Set(hidden);
  }

  next(ports: readonly ListeningPort[]): PortNews[] {
    const now = new Map(ports.map((entry) => [entry.port, entry]));
    const news = [...now.values()].filter(
      ({ port }) => !this.seen.has(port) && !this.hidden.has(port),
    );
    this.seen = new Set(now.keys());
    return news.flatMap((entry) => this.newsOf(entry));
  }

  private newsOf({ port, process }: ListeningPort): PortNews[] {
    const attributes = attributesOf(port, process, this.config);
    const asked = attributes?.onAutoForward ?? 'notify';
    if (asked === 'ignore') return [];
    const again = asked === 'openBrowserOnce' && this.opened.has(port);
    this.opened.add(port);
    return [
      {
        port,
        label: attributes?.label ?? process,
        action: again ? 'silent' : (ACTIONS[asked] ?? 'notify'),
        named: attributes !== undefined,
        protocol: attributes?.protocol === 'https' ? 'https' : 'http',
      },
    ];
  }
}

/** The values of onAutoForward (containers.dev, "Port attributes"). */
const ACTIONS: Readonly<Record<string, PortNews['action']>> = {
  notify: 'notify',
  openBrowser: 'browser',
  openBrowserOnce: 'browser',
  openPreview: 'preview',
  silent: 'silent',
};

/** By port, by a range `3000-3010`, by a regular expression of the program; then those of all others. */
function attributesOf(
  port: number,
  process: string | undefined,
  config: DevContainerConfig | undefined,
): PortAttributes | undefined {
  const entries = Object.entries(config?.portsAttributes ?? {});
  const found = entries.find(([key]) => matches(key, port, process));
  // What forwardPorts names is wanted, whatever is said of others.
  if (found !== undefined) return found[1];
  return config?.forwardPorts?.includes(port) === true ? {} : config?.otherPortsAttributes;
}

function matches(key: string, port: number, process: string | undefined): boolean {
  const range = /^(\d+)(?:-(\d+))?$/.exec(key);
  if (range !== null) return port >= Number(range[1]) && port <= Number(range[2] ?? range[1]);
  if (process === undefined) return false;
  try {
    return new RegExp(key).test(process);
  } catch {
    return process === key;
  }
}
