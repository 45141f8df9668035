// @ts-check
// The one polite status region of a page: what a screen reader says about things that happen.

/** @param {string} words */
export function announce(words) {
  const region = document.querySelector("[data-status-region]");
  if (!region) return;
  // The same words twice are only spoken twice when the text changes in between.
  region.textContent = "";
  setTimeout(() => {
    region.textContent = words;
  }, 50);
}
