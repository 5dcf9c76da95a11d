/** What of a document is hard to read: texts whose contrast with what is behind them is below WCAG 2.2, 1.4.3 (AA). The code runs inside the page. */
import type { FrameLocator } from 'playwright-core';

/**
 * Each text below 4.5:1 (3:1 for large ones and for marks of a single character) as `ratio text`. Disabled controls, hidden
 * texts and what matches `ignore` are left out.
 */
export function faintTexts(frame: FrameLocator, ignore: string): Promise<string[]> {
  const call = `(${FAINT})(document.body, ${JSON.stringify(ignore)})`;
  return frame.locator('body').evaluate<string[], unknown>(call);
}

const FAINT = `(body, ignore) => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const channels = (color) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = '#000';
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = pen.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = ([red, green, blue, alpha], below) =>
    [red, green, blue].map((value, at) => value * alpha + below[at] * (1 - alpha));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement) layers.push(channels(getComputedStyle(at).backgroundColor));
    const page = getComputedStyle(document.documentElement).getPropertyValue('--vscode-editor-background');
    return layers.reverse().reduce((below, layer) => over(layer, below), channels(page).slice(0, 3));
  };
  const light = (color) => {
    const [red, green, blue] = color.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const faint = new Set();
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const text = node.textContent.trim();
    const element = node.parentElement;
    if (text === '' || element.closest('script, style, :disabled, [hidden], .hidden') !== null) continue;
    if (ignore !== '' && element.closest(ignore) !== null) continue;
    if (element.getClientRects().length === 0 || getComputedStyle(element).visibility === 'hidden') continue;
    const style = getComputedStyle(element);
    const ground = behind(element);
    const [one, other] = [light(over(channels(style.color), ground)), light(ground)];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) || [...text].length === 1;
    if (ratio < (isLarge ? 3 : 4.5)) faint.add(ratio.toFixed(2) + ' ' + text.slice(0, 60));
  }
  return [...faint];
}`;
