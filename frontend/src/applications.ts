// How applications are written, wherever they are.

/** Short names of protocols are acronyms, but for these. */
const WORDS: ReadonlySet<string> = new Set(["tor", "socks"]);

/** Return an application's name, such as TLS or Stratum. */
export const applicationName = (name: string): string =>
  name.length <= 5 && !WORDS.has(name) ? name.toUpperCase() : name.charAt(0).toUpperCase() + name.slice(1);
