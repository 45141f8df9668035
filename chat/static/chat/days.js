// @ts-check
// "Today", "Yesterday" and so on, by this person's own clock and calendar.

const DAY_MS = 24 * 3600 * 1000;

/** @param {Date} date */
function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}

/**
 * @param {string} iso
 * @param {Date} [now]
 * @returns {string} "" for what is no date
 */
export function groupOf(iso, now = new Date()) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "";
  const days = Math.round((midnight(now) - midnight(date)) / DAY_MS);
  if (days <= 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days <= 7) return "Last 7 days";
  if (days <= 30) return "Last 30 days";
  return date.toLocaleDateString("en", { month: "long", year: "numeric" });
}
