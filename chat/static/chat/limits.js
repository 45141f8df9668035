// @ts-check
// How long a message may be, and the counter that appears when it gets near.

const NEAR = 0.9;

/**
 * Characters as the server counts them: code points, with line breaks as one.
 *
 * @param {string} text
 */
export function lengthOf(text) {
  let pairs = 0;
  for (let at = 0; at < text.length; at += 1) {
    if ((text.codePointAt(at) ?? 0) > 0xffff) {
      pairs += 1;
      at += 1;
    }
  }
  return text.length - pairs;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} text
 * @param {number} max
 */
export function showCount(form, text, max) {
  const count = form.querySelector("[data-count]");
  if (!(count instanceof HTMLElement)) return;
  count.hidden = text.length < max * NEAR;
  if (count.hidden) return;
  const left = max - lengthOf(text);
  count.toggleAttribute("data-over", left < 0);
  const number = Math.abs(left).toLocaleString("en");
  count.textContent = left < 0 ? `${number} too many` : `${number} left`;
}
