// Going to another page of Home Assistant's frontend, as its own links do.

/** Go to a path, which may be beside the one that is shown. */
export function navigate(path: string): void {
  history.pushState(null, "", path);
  window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: false } }));
}
