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

/**
 * Return an entry of a picker whose words are asked for anew each time.
 *
 * This module is loaded before Home Assistant knows who logs in, and in which language.
 */
export function inWords<T extends { name: string; description?: string }>(make: () => T): T {
  return Object.defineProperties(make(), {
    name: { get: () => make().name, enumerable: true },
    description: { get: () => make().description, enumerable: true },
  });
}

/** Add to one of the lists that Home Assistant's pickers show, unless it is there. */
export function announce<T extends { type: string }>(list: T[], entries: readonly T[]): T[] {
  const known = new Set(list.map(({ type }) => type));
  list.push(...entries.filter(({ type }) => !known.has(type)));
  return list;
}
