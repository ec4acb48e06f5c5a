// @vitest-environment node
// The module that is served is in a language that older browsers can read.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transformWithEsbuild } from "vite";
import { expect, it } from "vitest";

// scripts/frontend runs the tests in a copy of frontend/ alone
const ROOT = process.env["HEARTHWALL_ROOT"] ?? join(__dirname, "..", "..");
const source = readFileSync(join(ROOT, "custom_components", "hearthwall", "www", "hearthwall.js"), "utf8");

it.each(["es2021", "safari16", "chrome92"])("nothing of the module is too new for %s", async (target) => {
  const written = async (as: string) =>
    (await transformWithEsbuild(source, "hearthwall.js", { target: as, format: "esm", minify: true, sourcemap: false })).code;
  expect((await written(target)) === (await written("esnext"))).toBe(true);
}, 30_000);
