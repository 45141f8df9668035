// @ts-check
// Change nodes in place until they equal others, touching only what differs: a selection, a scrolled
// code block and the focus survive while text grows.

/**
 * @param {Element} old
 * @param {Element} next
 */
function morphAttributes(old, next) {
  for (const { name } of [...old.attributes]) {
    if (!next.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

/**
 * @param {CharacterData} old
 * @param {string} text
 */
function morphText(old, text) {
  if (text.startsWith(old.data)) old.appendData(text.slice(old.data.length));
  else old.data = text;
}

/**
 * Code that was coloured already is the same code.
 *
 * @param {ChildNode} old
 * @param {ChildNode} next
 */
function isSameCode(old, next) {
  return old instanceof HTMLPreElement && !!old.dataset.coloured && old.textContent === next.textContent;
}

/**
 * @param {ChildNode} old
 * @param {ChildNode} next
 */
function morphNode(old, next) {
  if (old.isEqualNode(next) || isSameCode(old, next)) return;
  if (old instanceof Text && next instanceof Text) return morphText(old, next.data);
  const isSameKind = old instanceof Element && next instanceof Element && old.nodeName === next.nodeName;
  if (!isSameKind) return old.replaceWith(next);
  morphAttributes(old, next);
  morphChildren(old, [...next.childNodes], 0);
}

/**
 * Make the children of `parent` from `start` on equal to `wanted`.
 *
 * @param {Node & ParentNode} parent
 * @param {ChildNode[]} wanted
 * @param {number} start
 */
export function morphChildren(parent, wanted, start) {
  const old = [...parent.childNodes].slice(start);
  wanted.forEach((next, index) => {
    const now = old[index];
    if (now) morphNode(now, next);
    else parent.append(next);
  });
  for (const surplus of old.slice(wanted.length)) surplus.remove();
}
