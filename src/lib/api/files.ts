/**
 * The wire types of `/pinnace/files`: single files of a container (running or stopped), an image or a volume. Every route
 * takes exactly one of the query parameters `container`, `image` and `volume`, and an absolute `path` in that tree.
 *
 * | route | what else its query takes |
 * |---|---|
 * | `GET /pinnace/files/list` | `after`, `limit` |
 * | `GET /pinnace/files` | `offset`, `length` in bytes; links are followed |
 * | `PUT /pinnace/files` | `create=0`: it must exist, `overwrite=0`: it must not; a new file has 0644 and its folder's owner |
 * | `POST /pinnace/files/folder` | `parents=1` |
 * | `POST /pinnace/files/rename` | `to`, `overwrite=1` |
 * | `DELETE /pinnace/files` | `recursive=1` |
 */

/** Names a tree. */
export type FileTree =
  { readonly container: string } | { readonly image: string } | { readonly volume: string };

export type FileType = 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'character' | 'block';

export interface FileEntry {
  /** The last component of the path; `/` for the root. Bytes that are not UTF-8 are shown as U+FFFD and cannot be opened. */
  name: string;
  type: FileType;
  /** Bytes. */
  size: number;
  /** The twelve permission bits. */
  mode: number;
  /** Milliseconds since the epoch. */
  mtime: number;
  uid: number;
  gid: number;
  /** Where a symbolic link points, as written. */
  target?: string;
  /** What a symbolic link leads to, resolved inside the tree; left out when it leads nowhere. */
  targetType?: FileType;
}

/**
 * The answer of `GET /pinnace/files/list` (`limit`: 1 … 10,000 entries, 1,000 when left out; `after`: `next` of the page
 * before). Entries are in the order of their names' bytes.
 */
export interface FileList {
  entries: FileEntry[];
  /** Where the next page goes on; null when this is the last one. */
  next: string | null;
}

/** The header of `HEAD /pinnace/files` with the file's FileEntry: base64 of its JSON. The last component of the path is not followed when it is a link. */
export const FILE_HEADER = 'X-Pinnace-File';
