/**
 * Owns Docker's rules for `DELETE /images/{name}`: what is untagged, what is deleted, and which conflicts stop it
 * (moby, daemon/images/image_delete.go, described in the Engine API as ImageDelete). It decides; the table acts.
 */

import type { ImageDeleteItem } from '../../lib/api/images.ts';
import { EngineError } from '../../lib/errors.ts';
import type { Digest } from '../../lib/image/config.ts';
import { shortId } from '../../lib/image/digest.ts';
import {
  familiarReference,
  parseReference,
  repositoryOf,
  withDefaultTag,
} from '../../lib/image/reference.ts';
import type { Reference } from '../../lib/image/reference.ts';
import type { ImageTable } from './image-table.ts';
import type { ImageEvent } from './types.ts';

/** A container that uses an image. */
export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

export interface RemovalParts {
  readonly table: ImageTable;
  readonly usersOf: (imageId: string) => ImageUser[];
  readonly emit: (event: ImageEvent) => void;
}

export interface RemovalOptions {
  readonly force: boolean;
  readonly prune: boolean;
}

/** What is checked before an image goes: `hard` conflicts cannot be forced. */
interface Checks {
  readonly references: boolean;
  readonly stopped: boolean;
}

/** Removes what `text` names of the image `id`; layers are left to the sweep. Throws `conflict`. */
export function removeImage(
  parts: RemovalParts,
  target: { id: Digest; text: string },
  options: RemovalOptions,
): ImageDeleteItem[] {
  const { table, usersOf } = parts;
  const { id, text } = target;
  const records: ImageDeleteItem[] = [];
  const names = table.namesOf(id);
  const byName = !namesById(id, text);
  if (byName) {
    const [user] = usersOf(id);
    if (!options.force && isSingle(names) && user !== undefined) {
      throw new EngineError(
        'conflict',
        `conflict: unable to remove repository reference "${text}" (must force) - container ${user.id.slice(0, 12)} is using its referenced image ${shortId(id)}`,
      );
    }
    const reference = withDefaultTag(parseReference(text));
    untag(parts, id, reference, records);
    if (reference.digest === undefined) untagLoneDigests(parts, id, reference, records);
    if (table.namesOf(id).length > 0) return records;
  } else if (isSingle(names)) {
    check(parts, id, { references: false, stopped: !options.force });
    for (const name of names) untag(parts, id, name, records);
  }
  deleteImage(parts, id, records, { ...options, quiet: byName });
  return records;
}

function deleteImage(
  parts: RemovalParts,
  id: Digest,
  records: ImageDeleteItem[],
  options: RemovalOptions & { quiet: boolean },
): void {
  const { table, usersOf, emit } = parts;
  const row = table.get(id);
  if (row === undefined) return;
  try {
    check(parts, id, { references: !options.force, stopped: !options.force });
  } catch (error) {
    const dangling = table.namesOf(id).length === 0 && table.children(id).length === 0;
    if (options.quiet && (!dangling || usersOf(id).length > 0)) return;
    throw error;
  }
  for (const name of table.namesOf(id)) untag(parts, id, name, records);
  table.remove(id);
  emit({ action: 'delete', id, attributes: { name: id } });
  records.push({ Deleted: id });
  if (options.prune && row.parent !== '' && table.namesOf(row.parent).length === 0) {
    deleteImage(parts, row.parent, records, { force: false, prune: true, quiet: true });
  }
}

function check(parts: RemovalParts, id: Digest, checks: Checks): void {
  const users = parts.usersOf(id);
  if (parts.table.children(id).length > 0)
    throw conflict(id, 'cannot be forced', 'image has dependent child images');
  const running = users.find((user) => user.running);
  if (running !== undefined) {
    throw conflict(
      id,
      'cannot be forced',
      `image is being used by running container ${running.id.slice(0, 12)}`,
    );
  }
  if (checks.references && parts.table.namesOf(id).length > 0) {
    throw conflict(id, 'must be forced', 'image is referenced in multiple repositories');
  }
  const [stopped] = users;
  if (checks.stopped && stopped !== undefined) {
    throw conflict(
      id,
      'must be forced',
      `image is being used by stopped container ${stopped.id.slice(0, 12)}`,
    );
  }
}

function conflict(id: Digest, way: string, why: string): EngineError {
  return new EngineError('conflict', `conflict: unable to delete ${shortId(id)} (${way}) - ${why}`);
}

function untag(
  parts: RemovalParts,
  id: Digest,
  reference: Reference,
  records: ImageDeleteItem[],
): void {
  parts.table.unname(reference);
  records.push({ Untagged: familiarReference(reference) });
  parts.emit({ action: 'untag', id, attributes: { name: familiarReference(reference) } });
}

/** Digest names of a repository go with its last tag. */
function untagLoneDigests(
  parts: RemovalParts,
  id: Digest,
  gone: Reference,
  records: ImageDeleteItem[],
): void {
  const repository = repositoryOf(gone);
  const rest = parts.table.namesOf(id).filter((name) => repositoryOf(name) === repository);
  if (rest.some((name) => name.digest === undefined)) return;
  for (const name of rest) untag(parts, id, name, records);
}

/** Whether all names are one tag of one repository, with its digests. */
function isSingle(names: readonly Reference[]): boolean {
  if (names.length <= 1) return true;
  const [first] = names;
  const repository = first === undefined ? '' : repositoryOf(first);
  const tags = names.filter((name) => name.digest === undefined);
  return tags.length <= 1 && names.every((name) => repositoryOf(name) === repository);
}

/** Whether the text is a prefix of the id, with or without `sha256:`. */
function namesById(id: Digest, text: string): boolean {
  return id.startsWith(text) || id.slice('sha256:'.length).startsWith(text);
}
