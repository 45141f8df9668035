// @ts-check
// Whether Atrium can be reached. Short breaks heal by themselves and are not mentioned; a lasting one
// gets a banner, which goes away by itself.

const LASTING_MS = 4_000;
const ASK_AGAIN_MS = 3_000;

/** @returns {Promise<boolean>} */
async function isReachable() {
  try {
    return (await fetch("/healthz", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

export class Connection extends EventTarget {
  #banner;
  #timer = 0;
  #isLost = false;

  /** @param {HTMLElement | null} banner */
  constructor(banner) {
    super();
    this.#banner = banner;
    addEventListener("offline", () => this.report(true));
    addEventListener("online", () => this.#timer && this.#ask());
  }

  /** @param {boolean} isTroubled what a stream or the browser has just found */
  report(isTroubled) {
    if (!isTroubled) this.#found(true);
    else if (!this.#timer) this.#timer = setTimeout(() => this.#ask(), LASTING_MS);
  }

  // A browser may be wrong about being offline, and a stream is not all there is.
  async #ask() {
    const isBack = await isReachable();
    if (this.#timer) this.#found(isBack); // else a stream has come back meanwhile
  }

  /** @param {boolean} isBack otherwise it is asked again until it is */
  #found(isBack) {
    clearTimeout(this.#timer);
    this.#timer = isBack ? 0 : setTimeout(() => this.#ask(), ASK_AGAIN_MS);
    if (this.#isLost !== isBack) return;
    this.#isLost = !isBack;
    if (this.#banner) this.#banner.hidden = isBack;
    this.dispatchEvent(new CustomEvent("change", { detail: this.#isLost }));
  }
}
