// @ts-check
// Times that run down: "Try again in 40 s". Counted from when they came, since clocks differ.

/**
 * The same words as the server's (chat/templatetags/turns.py), not to be broken at the blank.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  return seconds <= 120 ? `${seconds}\u00a0s` : `${Math.ceil(seconds / 60)}\u00a0min`;
}

/**
 * @param {number} seconds
 * @returns {() => number} whole seconds that are left of them
 */
export function timer(seconds) {
  const end = Date.now() + seconds * 1000;
  return () => Math.max(0, Math.ceil((end - Date.now()) / 1000));
}

/**
 * Count down in every `data-countdown` of this element, until it leaves the page.
 *
 * @param {HTMLElement} root
 */
export function countDownIn(root) {
  for (const place of root.querySelectorAll("[data-countdown]")) {
    const left = timer(Number(place.getAttribute("data-countdown")) || 0);
    const tick = setInterval(() => {
      const seconds = left();
      place.textContent = seconds > 0 ? `in ${duration(seconds)}` : "now";
      if (seconds === 0 || !place.isConnected) clearInterval(tick);
    }, 1000);
  }
}
