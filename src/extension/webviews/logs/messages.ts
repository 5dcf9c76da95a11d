/** What the log view and the extension say to each other; media/webview/logs/main.js is the other side. */
import type { Span } from './ansi.ts';

/** `[stream, time, text, spans]`: stream 0 output, 1 error output, 2 a note of ours; time as the engine wrote it, or empty. */
export type LogLine = readonly [
  stream: 0 | 1 | 2,
  time: string,
  text: string,
  spans: readonly Span[],
];

export type ToView =
  | { readonly type: 'lines'; readonly lines: readonly LogLine[] }
  | { readonly type: 'reset'; readonly name: string; readonly limit: number }
  | { readonly type: 'state'; readonly text: string; readonly live: boolean };

/** Lines are sent again only after `more`: a view that is slow is never flooded. */
export type FromView =
  | { readonly type: 'ready' }
  | { readonly type: 'more' }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'save'; readonly text: string };

export function isFromView(value: unknown): value is FromView {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  if (value.type === 'ready' || value.type === 'more') return true;
  return (
    (value.type === 'copy' || value.type === 'save') &&
    'text' in value &&
    typeof value.text === 'string'
  );
}
