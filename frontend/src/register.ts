// Defining elements once Home Assistant's frontend is there, and telling it of them.

/**
 * Define elements when the frontend is ready for them.
 *
 * While it starts it replaces the registry of elements; what was defined before is not found afterwards. A module
 * that is loaded twice, such as after an upgrade without a reload of the page, defines nothing anew.
 */
export async function define(elements: Record<string, CustomElementConstructor>): Promise<void> {
  await customElements.whenDefined("home-assistant");
  for (const [name, element] of Object.entries(elements)) {
    if (!customElements.get(name)) customElements.define(name, element);
  }
}

/** Add to one of the lists that Home Assistant's pickers show, unless it is there. */
export function announce<T extends { type: string }>(list: T[], entries: readonly T[]): T[] {
  const known = new Set(list.map(({ type }) => type));
  list.push(...entries.filter(({ type }) => !known.has(type)));
  return list;
}
