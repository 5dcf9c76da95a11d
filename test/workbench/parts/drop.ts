/** Drops files on an element as the browser does when they come from its own machine. The function runs inside the page, whose types are not those of Node. */
import type { Locator } from 'playwright-core';

export interface DroppedFile {
  readonly name: string;
  readonly content: string;
}

interface PageGlobals {
  readonly DataTransfer: new () => { readonly items: { add(file: unknown): void } };
  readonly DragEvent: new (type: string, options: object) => object;
}

interface PageElement {
  getBoundingClientRect(): { readonly x: number; readonly y: number };
  dispatchEvent(event: object): boolean;
}

export async function dropFiles(on: Locator, files: readonly DroppedFile[]): Promise<void> {
  await on.evaluate((one: unknown, dropped) => {
    const page = globalThis as unknown as PageGlobals;
    const element = one as PageElement;
    const data = new page.DataTransfer();
    for (const { name, content } of dropped)
      data.items.add(new File([content], name, { type: 'text/plain' }));
    const { x, y } = element.getBoundingClientRect();
    const where = { clientX: x + 40, clientY: y + 8, bubbles: true, cancelable: true };
    for (const type of ['dragenter', 'dragover', 'drop'])
      element.dispatchEvent(new page.DragEvent(type, { ...where, dataTransfer: data }));
  }, files);
}
