// @ts-check
// What pages without a chat need: sign-in, passwords, tenant chooser, errors.

import { mountTheme } from "./theme.js";

mountTheme();

// Each tenant of the chooser in its own colour; the style attribute is closed by the content policy.
for (const mark of document.querySelectorAll("[data-tenant-accent]")) {
  if (!(mark instanceof HTMLElement)) continue;
  mark.style.setProperty("--tenant-accent", mark.dataset.tenantAccent ?? "");
}
