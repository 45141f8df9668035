// @ts-check
// The one place where a string becomes HTML without the sanitiser: fragments that this server rendered.

/** @type {{ createHTML(text: string): any }} */
const asItIs = { createHTML: (text) => text };

// Browsers without Trusted Types take the string itself.
const policy = window.trustedTypes?.createPolicy("atrium", asItIs) ?? asItIs;

/**
 * Parse a fragment that our own server rendered. Never give it text from a model or a person.
 *
 * @param {string} html
 * @returns {DocumentFragment}
 */
function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = policy.createHTML(html);
  return document.importNode(template.content, true);
}

/**
 * Read a same-origin HTML response as a fragment.
 *
 * @param {Response} response
 * @returns {Promise<DocumentFragment>}
 */
export async function fragmentOf(response) {
  const type = response.headers.get("Content-Type") ?? "";
  const isOurs = new URL(response.url).origin === location.origin && type.startsWith("text/html");
  if (!isOurs) throw new TypeError("Not a fragment of this portal");
  return parse(await response.text());
}
