// @ts-check
// The view follows the answer while the reader is at the bottom; any scroll up lets go.

const AT_BOTTOM = 60;
const FAR = 200;
const SLACK = 4; // rounding of fractional pixels

export class Follow {
  #scroller;
  #jump;
  #isFollowing = true;
  #lastTop = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {HTMLElement} jump the "Jump to latest" button
   */
  constructor(scroller, jump) {
    this.#scroller = scroller;
    this.#jump = jump;
    scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    jump.addEventListener("click", () => this.toLatest());
    const grown = new ResizeObserver(() => this.#onGrowth());
    grown.observe(scroller);
    for (const child of scroller.children) grown.observe(child);
    this.toLatest();
  }

  /** Go to the end, and follow from now on. */
  toLatest() {
    this.#isFollowing = true;
    this.#onGrowth();
  }

  get #distance() {
    return this.#scroller.scrollHeight - this.#scroller.clientHeight - this.#scroller.scrollTop;
  }

  #onGrowth() {
    if (this.#isFollowing) this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#lastTop = this.#scroller.scrollTop;
    this.#showJump();
  }

  #onScroll() {
    const top = this.#scroller.scrollTop;
    const isUp = top < this.#lastTop - 1;
    if (isUp && this.#distance > SLACK) this.#isFollowing = false;
    else if (top > this.#lastTop && this.#distance <= AT_BOTTOM) this.#isFollowing = true;
    this.#lastTop = top;
    this.#showJump();
  }

  // Two thresholds, so that the button does not blink at the edge.
  #showJump() {
    if (this.#distance > FAR && !this.#isFollowing) this.#jump.hidden = false;
    else if (this.#distance < AT_BOTTOM || this.#isFollowing) this.#jump.hidden = true;
  }
}
