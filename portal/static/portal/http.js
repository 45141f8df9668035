// @ts-check
// Requests to this portal, and what went wrong with them in words that can be shown.

const WORDS = new Map([
  [401, "You are signed out. Sign in to go on; your text is kept."],
  [403, "The request was refused before it reached Atrium (403), perhaps by a filter of your network. Your text is kept."],
  [404, "This is no longer here. It may have been deleted in another window."],
  [413, "This is more text than can be sent at once."],
  [429, "That was too many requests in a short time. Wait a moment, then try again."],
]);

/** A request that was refused or never arrived. `message` is safe to show. */
export class RequestError extends Error {
  /**
   * @param {string} code the server's code, "offline" when nothing answered, or "http"
   * @param {string} message
   * @param {number} status 0 when nothing answered
   */
  constructor(code, message, status) {
    super(message);
    this.code = code;
    this.status = status;
  }

  /** Whether the person has to sign in again. */
  get isSignedOut() {
    return this.status === 401;
  }

  /** Whether it is unknown if the server took the request. */
  get isUncertain() {
    return this.status === 0 || this.status >= 500;
  }
}

/** @param {number} status */
function wordsFor(status) {
  if (status >= 500) return `Atrium had a problem (${status}). Your text is kept; try again in a moment.`;
  return WORDS.get(status) ?? `The request was refused (${status}).`;
}

/**
 * @param {Response} response
 * @returns {Promise<RequestError>}
 */
async function errorOf(response) {
  try {
    const { error } = await response.json();
    if (typeof error.message === "string") {
      return new RequestError(String(error.code), error.message, response.status);
    }
  } catch {
    // Not our JSON: a proxy, a filter or a crash answered.
  }
  return new RequestError("http", wordsFor(response.status), response.status);
}

/**
 * @param {string} url
 * @param {RequestInit} options
 * @returns {Promise<Response>} an answer with a good status
 */
async function request(url, options) {
  let response;
  try {
    response = await fetch(url, { ...options, headers: { "X-Requested-With": "fetch" } });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    const words = "Atrium cannot be reached. Your text is kept; try again when you are connected.";
    throw new RequestError("offline", words, 0);
  }
  if (response.redirected && !response.url.startsWith(new URL(url, location.href).href)) {
    throw new RequestError("signed_out", wordsFor(401), 401);
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/**
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
export function get(url, signal) {
  return request(url, { signal });
}

/** @returns {string} the token that the server put into a form of this page */
function csrfToken() {
  const field = document.querySelector("input[name=csrfmiddlewaretoken]");
  return field instanceof HTMLInputElement ? field.value : "";
}

/**
 * @param {string} url
 * @param {Record<string, string>} fields
 */
export function post(url, fields = {}) {
  const body = new URLSearchParams({ ...fields, csrfmiddlewaretoken: csrfToken() });
  return request(url, { method: "POST", body });
}
