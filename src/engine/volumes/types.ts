/** What containers and the API may ask of the named volumes. */

export interface Volume {
  readonly Name: string;
  readonly Driver: 'local';
  readonly Mountpoint: string;
  readonly CreatedAt: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Options: Readonly<Record<string, string>>;
  readonly Scope: 'local';
}

export interface Volumes {
  /** Creates, or answers the existing one. Without a name: an anonymous one of 64 hexadecimal digits. */
  create(request: {
    Name?: string;
    Driver?: string;
    DriverOpts?: Record<string, string>;
    Labels?: Record<string, string>;
  }): Promise<Volume>;
  get(name: string): Volume;
  list(): Volume[];
  /** Refuses (conflict) while a container uses it. */
  remove(name: string, options: { force: boolean }): Promise<void>;
  /** `all: false` removes anonymous volumes only. */
  prune(options: {
    all: boolean;
    inUse: ReadonlySet<string>;
  }): Promise<{ VolumesDeleted: string[]; SpaceReclaimed: number }>;
}
