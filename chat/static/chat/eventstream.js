// @ts-check
// The server-sent events of one generation, through lost connections, restarts of the server, sleeping
// phones and the browser's back-forward cache, until its end.

const SLOWEST_RETRY_MS = 15_000;
const FINAL_STATUS = new Set([401, 403, 404]);

/**
 * @typedef {object} StreamHooks
 * @property {(waiting: import("./waiting.js").Waiting) => void} waiting no worker has it (again)
 * @property {() => void} started the model is being called
 * @property {(text: string) => void} delta append
 * @property {(text: string) => void} snapshot replace everything so far
 * @property {(isTroubled: boolean) => void} troubled the connection is down, or up again
 * @property {() => Promise<boolean>} settle fetch the final turn; whether it had ended
 * @property {(error: unknown) => void} giveUp there is nothing more to wait for
 */

/**
 * @param {string} url
 * @param {StreamHooks} hooks
 */
export function openStream(url, hooks) {
  /** @type {EventSource | null} */
  let source = null;
  let failures = 0;
  let isOver = false;

  function close() {
    source?.close();
    source = null;
  }

  function over() {
    isOver = true;
    close();
    removeEventListener("pagehide", close);
    removeEventListener("pageshow", resume);
    removeEventListener("online", again);
  }

  // EventSource repeats lost connections by itself; it gives up on every answer that is no stream.
  async function onError() {
    hooks.troubled(true);
    if (source?.readyState !== EventSource.CLOSED) return;
    close();
    await finish();
  }

  /** Take the final turn; when the answer still goes on, connect again after a while. */
  async function finish() {
    try {
      if (await hooks.settle()) return over();
    } catch (error) {
      if (FINAL_STATUS.has(Number(/** @type {any} */ (error)?.status))) {
        over();
        return hooks.giveUp(error);
      }
    }
    failures += 1;
    setTimeout(resume, Math.min(500 * 2 ** failures, SLOWEST_RETRY_MS));
  }

  function connect() {
    const stream = new EventSource(url);
    source = stream;
    const wentWell = () => {
      failures = 0;
      hooks.troubled(false);
    };
    stream.addEventListener("open", () => hooks.troubled(false));
    stream.addEventListener("error", onError);
    stream.addEventListener("waiting", (event) => hooks.waiting(JSON.parse(event.data)));
    stream.addEventListener("started", hooks.started);
    stream.addEventListener("delta", (event) => {
      wentWell();
      hooks.delta(JSON.parse(event.data).text);
    });
    stream.addEventListener("snapshot", (event) => {
      wentWell();
      hooks.snapshot(JSON.parse(event.data).text);
    });
    stream.addEventListener("end", () => {
      close();
      finish();
    });
  }

  function resume() {
    if (!isOver && !source) connect();
  }

  /** A connection from before the network went may be dead without a sign. */
  function again() {
    close();
    resume();
  }

  // A page in the back-forward cache must hold no connection, and needs a new one when it comes back.
  addEventListener("pagehide", close);
  addEventListener("pageshow", resume);
  addEventListener("online", again);
  connect();
}
