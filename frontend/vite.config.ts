// One ES module without hashes, dates or paths: the same source gives the same bytes on every machine.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Lit says in the browser's console when it is the development's; the bundle and the tests take the release's
  define: { "process.env.NODE_ENV": '"production"' },
  esbuild: { legalComments: "eof" },
  build: {
    // What the browsers of tablets on walls can still read
    target: ["es2021", "safari16"],
    outDir: process.env["HEARTHWALL_BUNDLE_FOLDER"] ?? "dist",
    emptyOutDir: false,
    minify: "esbuild",
    reportCompressedSize: false,
    lib: {
      entry: fileURLToPath(new URL("src/index.ts", import.meta.url)),
      formats: ["es"],
      fileName: () => "hearthwall.js",
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["test/setup.ts"],
  },
});
