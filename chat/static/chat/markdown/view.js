// @ts-check
// One Markdown text in the page, while it grows and when it is whole. Blocks that are certainly
// finished are drawn once and left alone; only the last ones are drawn again, at most once per frame.

import { nodesOf } from "./blocks.js";
import { highlightIn } from "./code.js";
import { completed, withoutLoneMark } from "./halfopen.js";
import { blocksOf } from "./lexer.js";
import { morphChildren } from "./morph.js";

// The last two blocks may still change: a list goes on after a blank line, a heading by its underline.
const OPEN_BLOCKS = 2;

export class MarkdownView {
  #element;
  #source = "";
  #settledChars = 0;
  #settledNodes = 0;
  #timer = 0;
  #lastCost = 0;

  /** @param {HTMLElement} element its text is replaced */
  constructor(element) {
    this.#element = element;
  }

  /** @returns {string} */
  get source() {
    return this.#source;
  }

  /** @param {string} text */
  append(text) {
    this.#source += text.replaceAll("\r", "");
    this.#schedule();
  }

  /** @param {string} text all of it, replacing what came before */
  replace(text) {
    text = text.replaceAll("\r", "");
    if (!text.startsWith(this.#source.slice(0, this.#settledChars))) {
      this.#settledChars = 0;
      this.#settledNodes = 0;
    }
    this.#source = text;
    this.#schedule();
  }

  /** Draw the text as it is, as a whole. */
  finish() {
    clearTimeout(this.#timer);
    this.#settledChars = 0;
    this.#settledNodes = 0;
    this.#show([...nodesOf(blocksOf(this.#source)).childNodes]);
    highlightIn(this.#element.children);
  }

  // A timer, since a background tab gets no animation frames; a dear drawing is followed by a pause.
  #schedule() {
    if (this.#timer) return;
    const wait = Math.max(16, this.#lastCost * 4);
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      const before = performance.now();
      this.#draw();
      this.#element.getBoundingClientRect(); // lay out now, so that its cost is counted too
      this.#lastCost = performance.now() - before;
    }, wait);
  }

  #draw() {
    const tail = withoutLoneMark(this.#source.slice(this.#settledChars));
    const blocks = blocksOf(tail);
    const solid = blocks.filter((block) => block.type !== "space");
    const firstOpen = solid.at(-OPEN_BLOCKS);
    const cut = firstOpen ? blocks.indexOf(firstOpen) : 0;

    const settled = [...nodesOf(blocks.slice(0, cut)).childNodes];
    const open = [...nodesOf(tidied(blocks.slice(cut))).childNodes];
    this.#show([...settled, ...open]);

    const from = this.#settledNodes;
    this.#settledNodes += settled.length;
    this.#settledChars += blocks.slice(0, cut).reduce((sum, block) => sum + block.raw.length, 0);
    highlightIn([...this.#element.children].slice(from, this.#settledNodes));
  }

  /** @param {ChildNode[]} nodes */
  #show(nodes) {
    if (!this.#element.classList.contains("is-rendered")) {
      this.#element.replaceChildren();
      this.#element.classList.add("is-rendered");
    }
    morphChildren(this.#element, nodes, this.#settledNodes);
  }
}

/**
 * The last block with its open marks closed, for the eye; code is left as it is.
 *
 * @param {any[]} blocks
 * @returns {any[]}
 */
function tidied(blocks) {
  const last = blocks.at(-1);
  if (!last || last.type === "code" || last.type === "space") return blocks;
  const raw = completed(last.raw);
  return raw === last.raw ? blocks : [...blocks.slice(0, -1), ...blocksOf(raw)];
}

/**
 * Format the text that the server wrote into an element.
 *
 * @param {HTMLElement} element
 */
export function renderMarkdown(element) {
  const view = new MarkdownView(element);
  const text = element.textContent ?? "";
  view.replace(text);
  view.finish();
}
