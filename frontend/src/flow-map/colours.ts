// Colours that those who see some colours alike can tell apart, on light and on dark.

/** After Okabe and Ito, without the yellow that nobody sees on white; two of Tol's in its place. */
export const COLOURS = [
  "#0072b2",
  "#e69f00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#d55e00",
  "#999933",
  "#8a6fd1",
] as const;

/** Gives each name the colour that it had before, and a new one the colour that the fewest have. */
export class Colours {
  private readonly given = new Map<string, number>();

  /** Return the colours of those that are shown; the others are forgotten, so that theirs are free. */
  of(names: readonly string[]): ReadonlyMap<string, string> {
    for (const name of [...this.given.keys()]) if (!names.includes(name)) this.given.delete(name);
    for (const name of names) if (!this.given.has(name)) this.given.set(name, this.rarest());
    return new Map(names.map((name) => [name, COLOURS[this.given.get(name)!]!]));
  }

  private rarest(): number {
    const uses = COLOURS.map(() => 0);
    for (const slot of this.given.values()) uses[slot]!++;
    return uses.indexOf(Math.min(...uses));
  }
}
