/** The wire types of the Engine API's image endpoints (API 1.51), as a client sends and reads them. Shapes only: no checks, no defaults. */

import type { RunConfig } from '../image/config.ts';

/** One element of `GET /images/json`. */
export interface ImageSummary {
  Id: string;
  ParentId: string;
  RepoTags: string[];
  RepoDigests: string[];
  /** Seconds since the epoch. */
  Created: number;
  Size: number;
  /** -1: not computed. */
  SharedSize: number;
  VirtualSize: number;
  Labels: Record<string, string> | null;
  /** Containers that use it; -1: not computed. */
  Containers: number;
}

export interface GraphDriver {
  Name: string;
  Data: Record<string, string> | null;
}

/** The answer of `GET /images/{name}/json`. */
export interface ImageInspect {
  Id: string;
  RepoTags: string[];
  RepoDigests: string[];
  Parent: string;
  Comment: string;
  /** RFC 3339. */
  Created: string;
  DockerVersion: string;
  Author: string;
  Config: RunConfig;
  Architecture: string;
  Variant?: string;
  Os: string;
  OsVersion?: string;
  Size: number;
  VirtualSize: number;
  GraphDriver: GraphDriver;
  RootFS: { Type: 'layers'; Layers?: string[] };
  Metadata: { LastTagTime: string };
}

/** One element of `GET /images/{name}/history`, newest first. */
export interface ImageHistoryItem {
  /** The image's id for its newest entry, `<missing>` for the others. */
  Id: string;
  /** Seconds since the epoch. */
  Created: number;
  CreatedBy: string;
  Tags: string[] | null;
  Size: number;
  Comment: string;
}

/** One element of the answer of `DELETE /images/{name}`. */
export interface ImageDeleteItem {
  Untagged?: string;
  Deleted?: string;
}

/** The answer of `POST /images/prune`. */
export interface ImagesPruned {
  ImagesDeleted: ImageDeleteItem[] | null;
  SpaceReclaimed: number;
}

/** One element of the answer of `GET /images/search`. */
export interface ImageSearchItem {
  name: string;
  description: string;
  is_official: boolean;
  is_automated: boolean;
  star_count: number;
}

/** The answer of `GET /distribution/{name}/json`. */
export interface DistributionInspect {
  Descriptor: { mediaType: string; digest: string; size: number };
  Platforms: { architecture: string; os: string; variant?: string; 'os.version'?: string }[];
}
