// @ts-check
// Markdown to tokens, for text that may have been written to harm: what would take long or grow without
// bound (measured: tens of seconds for 90 kB of mixed emphasis marks, ten million cells from a 30 kB
// table) stays plain text.

import { Lexer, Marked } from "../../vendor/marked/marked.esm.js";
import { renderer } from "./renderer.js";

const MAX_DEPTH = 16; // lists and quotes inside each other
const MAX_RUN = 50_000; // characters of one paragraph
const MAX_MARKS = 1_500; // emphasis marks and brackets of one paragraph
const MAX_CELLS = 10_000; // of one table; a short row is filled up to the width of its head

const TABLE_RULE = /^[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\||$)/;

/** @param {string} source begins with the head of what may be a table */
function isHugeTable(source) {
  const [head = "", rule = ""] = source.split("\n", 2);
  if (!TABLE_RULE.test(rule)) return false;
  const end = source.search(/\n[ \t]*\n/);
  const rows = (end < 0 ? source : source.slice(0, end)).split("\n").length;
  return head.split("|").length * rows > MAX_CELLS;
}

const marked = new Marked({
  gfm: true,
  renderer,
  tokenizer: {
    table: (source) => (isHugeTable(source) ? undefined : false), // false: by marked's own rule
  },
});

export const options = marked.defaults;

/** @param {string} run */
function isTangled(run) {
  return run.length > MAX_RUN || (run.match(/[*_~[\]<`]/g)?.length ?? 0) > MAX_MARKS;
}

/** @param {string} raw a block that is shown as it was written */
function plainBlock(raw) {
  return { type: /** @type {const} */ ("html"), block: true, pre: false, raw, text: raw };
}

class GuardedLexer extends Lexer {
  #depth = 0;

  /**
   * @param {string} source
   * @param {any[]} [tokens]
   * @param {boolean} [clipped]
   * @returns {any}
   */
  blockTokens(source, tokens = [], clipped = false) {
    if (this.#depth >= MAX_DEPTH) {
      if (source) tokens.push(plainBlock(source));
      return tokens;
    }
    this.#depth += 1;
    try {
      return super.blockTokens(source, tokens, clipped);
    } finally {
      this.#depth -= 1;
    }
  }

  /**
   * @param {string} source
   * @param {any[]} [tokens]
   */
  inlineTokens(source, tokens = []) {
    if (!isTangled(source)) return super.inlineTokens(source, tokens);
    tokens.push({ type: "text", raw: source, text: source, escaped: false });
    return tokens;
  }
}

/**
 * The blocks of a text. Their `raw` parts make up the text again.
 *
 * @param {string} text
 * @returns {any[]}
 */
export function blocksOf(text) {
  try {
    return new GuardedLexer(options).lex(text);
  } catch (error) {
    if (error instanceof RangeError) return [plainBlock(text)]; // nested beyond the stack
    throw error;
  }
}
