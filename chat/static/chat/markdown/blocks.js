// @ts-check
// Blocks of Markdown to nodes of the page: parse, sanitise, then dress code and tables.

import { Parser } from "../../vendor/marked/marked.esm.js";
import { dressCode } from "./code.js";
import { options } from "./lexer.js";
import { escapeHtml } from "./renderer.js";
import { sanitiseAnswer } from "./sanitise.js";

/** @param {any[]} tokens */
function htmlOf(tokens) {
  try {
    return Parser.parse(tokens, options);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // nested beyond the stack
    return `<p class="raw">${escapeHtml(tokens.map((token) => token.raw).join(""))}</p>`;
  }
}

/** @param {DocumentFragment} fragment */
function dressTables(fragment) {
  for (const table of fragment.querySelectorAll("table")) {
    const frame = document.createElement("div");
    frame.className = "table";
    frame.tabIndex = 0; // so that the keyboard can scroll it
    frame.setAttribute("role", "group");
    frame.setAttribute("aria-label", "Table");
    table.replaceWith(frame);
    frame.append(table);
  }
}

/** @param {DocumentFragment} fragment */
function dropBlankText(fragment) {
  for (const node of [...fragment.childNodes]) {
    if (node.nodeType === Node.TEXT_NODE && !node.textContent?.trim()) node.remove();
  }
}

/**
 * @param {any[]} tokens
 * @returns {DocumentFragment}
 */
export function nodesOf(tokens) {
  const fragment = document.importNode(sanitiseAnswer(htmlOf(tokens)), true);
  dropBlankText(fragment);
  dressTables(fragment);
  dressCode(fragment);
  return fragment;
}
