// @ts-check
// The box that a message is written in: it grows with the text, and knows which Enter sends.

/** @param {HTMLTextAreaElement} box */
function grow(box) {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`; // the style sheet sets the limit
}

/** Phones and tablets: their Enter key breaks the line, there is a button to send. */
const isTouch = matchMedia("(hover: none) and (pointer: coarse)");

/**
 * Whether this key press means "send". Never while an input method composes (229 is what older
 * versions of Safari report then).
 *
 * @param {KeyboardEvent} event
 */
export function isSend(event) {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return !event.shiftKey && !event.altKey && !isTouch.matches;
}

/** @param {HTMLTextAreaElement} box */
export function growWithText(box) {
  if (CSS.supports("field-sizing", "content")) return () => {};
  const update = () => grow(box);
  box.addEventListener("input", update);
  update();
  return update;
}

/**
 * Put the caret into the box, unless that would open a phone's keyboard unasked.
 *
 * @param {HTMLTextAreaElement} box
 */
export function focusIfKeyboard(box) {
  if (!isTouch.matches) box.focus({ preventScroll: true });
}

/**
 * Put a starter into the box with its first [blank] selected.
 *
 * @param {HTMLTextAreaElement} box
 * @param {string} text
 */
export function fillIn(box, text) {
  box.value = text;
  box.focus();
  const blank = /\[[^\]]+\]/.exec(text);
  if (blank) box.setSelectionRange(blank.index, blank.index + blank[0].length);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}
