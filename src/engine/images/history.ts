/** Owns the answer of `GET /images/{name}/history`. Pure. */

import type { ImageHistoryItem } from '../../lib/api/images.ts';
import type { Image } from './types.ts';

/** The history newest first; `sizes` are the layers' unpacked bytes, bottom first. */
export function imageHistory(image: Image, sizes: readonly number[]): ImageHistoryItem[] {
  const { config } = image;
  const entries = config.history ?? [];
  const items: ImageHistoryItem[] = [];
  let layer = 0;
  for (const entry of entries) {
    const size = entry.empty_layer === true ? 0 : (sizes[layer++] ?? 0);
    items.push(item(entry.created, entry.created_by, size, entry.comment));
  }
  // Layers that the history forgot are shown all the same, as the newest.
  for (; layer < sizes.length; layer++) items.push(item(config.created, '', sizes[layer] ?? 0, ''));
  items.reverse();
  const [newest] = items;
  if (newest !== undefined) {
    newest.Id = image.id;
    newest.Tags = image.tags.length === 0 ? null : [...image.tags];
  }
  return items;
}

/** Seconds since the epoch of an RFC 3339 time; 0 for a missing or malformed one. */
export function secondsOf(time: string | undefined): number {
  const milliseconds = Date.parse(time ?? '');
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}

function item(
  created: string | undefined,
  by: string | undefined,
  size: number,
  comment: string | undefined,
): ImageHistoryItem {
  return {
    Id: '<missing>',
    Created: secondsOf(created),
    CreatedBy: by ?? '',
    Tags: null,
    Size: size,
    Comment: comment ?? '',
  };
}
