// @ts-check
// Runs in the head, before the first paint, so that neither theme, sidebar nor tenant colour flashes.
// A classic script on purpose: modules wait for the document.

(() => {
  const root = document.documentElement;

  /** @param {string} name */
  const remembered = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // storage is blocked: the system's theme it is
    }
  };

  root.dataset.js = "";

  const theme = remembered("atrium:theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;

  if (remembered("atrium:sidebar") === "closed") root.dataset.sidebar = "closed";

  const accent = root.dataset.accent ?? "";
  if (/^#[0-9a-f]{6}$/i.test(accent)) root.style.setProperty("--tenant-accent", accent);
})();
