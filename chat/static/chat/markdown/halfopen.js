// @ts-check
// The end of a text that is still being written, as it will probably go on: no mark flickers while it
// is half there.

const LONE_MARK = /(?:^|\n)[ \t]*(?:`{1,2}|~{1,2}|#{1,6}|[-*+>]|\*\*|__|\d{1,3}[.)]?|\|)[ \t]*$/;
const FENCE_HEAD = /(?:^|\n)[ \t]*(?:```|~~~)[^\n`]*$/;
const HALF_LINK = /!?\[([^[\]\n]*)\]\([^()\s]*$/;

/** @param {string} text @param {string} mark */
function isOdd(text, mark) {
  return (text.split(mark).length - 1) % 2 === 1;
}

/** @param {string} text @param {string} mark */
function closed(text, mark) {
  if (!isOdd(text, mark)) return text;
  // A mark with nothing after it would close to an empty pair: leave it out until more is there.
  return text.endsWith(mark) ? text.slice(0, -mark.length) : text + mark;
}

/**
 * Leave out a mark that stands alone at the end: it may become a list, a heading or a fence.
 *
 * @param {string} text
 */
export function withoutLoneMark(text) {
  return text.replace(LONE_MARK, "").replace(FENCE_HEAD, "");
}

/**
 * A paragraph-like block with its open code, bold and link closed.
 *
 * @param {string} block
 */
export function completed(block) {
  const text = block.replace(HALF_LINK, "$1");
  if (isOdd(text, "`")) return closed(text, "`");
  return closed(closed(text, "**"), "~~");
}
