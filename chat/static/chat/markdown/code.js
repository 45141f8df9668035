// @ts-check
// Code blocks: a head with the language and a copy button, and colours from a library that is only
// fetched when a first block is there.

import { sanitiseHighlighted } from "./sanitise.js";

const MAX_HIGHLIGHT = 40_000; // characters; beyond it colour costs more than it helps

/** @type {{ highlight(code: string, options: object): { value: string }, getLanguage(name: string): unknown } | null} */
let highlighter = null;

/** @param {DocumentFragment} fragment */
export function dressCode(fragment) {
  const template = document.querySelector("template[data-template=code]");
  if (!(template instanceof HTMLTemplateElement)) return;
  for (const plain of fragment.querySelectorAll("pre")) {
    const figure = document.importNode(template.content, true);
    const language = plain.dataset.language ?? "";
    const name = figure.querySelector(".code-language");
    const pre = figure.querySelector("pre");
    if (!name || !pre) continue;
    name.textContent = language || "text";
    pre.setAttribute("aria-label", `Code, ${language || "text"}`);
    pre.dataset.language = language;
    pre.append(...plain.childNodes);
    plain.replaceWith(...[...figure.children]);
  }
}

async function load() {
  if (!highlighter) {
    const library = await import("../../vendor/highlight/highlight.min.js");
    highlighter = library.default;
  }
  return highlighter;
}

/** @param {HTMLElement} pre */
function colour(pre) {
  const code = pre.querySelector("code");
  const text = code?.textContent ?? "";
  const language = pre.dataset.language ?? "";
  if (!code || !highlighter?.getLanguage(language)) return;
  const { value } = highlighter.highlight(text, { language, ignoreIllegals: true });
  code.replaceChildren(sanitiseHighlighted(value));
}

/**
 * Colour the finished code blocks among these nodes.
 *
 * @param {Iterable<Node>} nodes
 */
export async function highlightIn(nodes) {
  /** @type {HTMLElement[]} */
  const blocks = [];
  for (const node of nodes) {
    if (!(node instanceof HTMLElement)) continue;
    for (const pre of node.querySelectorAll("pre")) {
      const isNew = pre.dataset.language && !pre.dataset.coloured;
      if (isNew && (pre.textContent ?? "").length <= MAX_HIGHLIGHT) blocks.push(pre);
    }
  }
  if (!blocks.length) return;
  if (!highlighter) await load();
  for (const pre of blocks) {
    pre.dataset.coloured = "yes";
    colour(pre);
  }
}
