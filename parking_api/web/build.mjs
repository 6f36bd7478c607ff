// Bundles the pages into dist/: pages, and beside them assets/, whose names hold a hash of what is
// in them. Each text lies there also as gzip and brotli. What was there before is replaced as a whole.
import { build } from "esbuild";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const here = import.meta.dirname;
const made = join(here, "dist.new");
const dist = join(here, "dist");

// The map's worker is an entry of its own, so that it has an address.
const entries = {
  worker: "maplibre-gl/dist/maplibre-gl-worker.mjs",
  drivers: "src/drivers/main.tsx",
  operations: "src/operations/main.tsx",
  sign: "src/sign/main.tsx",
};
const pages = {
  "index.html": "src/drivers/index.html",
  "operations.html": "src/operations/index.html",
  "sign.html": "src/sign/index.html",
};

await rm(made, { recursive: true, force: true });
const result = await build({
  absWorkingDir: here,
  entryPoints: Object.entries(entries).map(([out, path]) => ({
    in: path.startsWith("src/") ? path : join("node_modules", path),
    out,
  })),
  outdir: join(made, "assets"),
  bundle: true,
  format: "esm",
  splitting: true,
  minify: true,
  target: "es2022",
  jsx: "automatic",
  jsxImportSource: "preact",
  entryNames: "[name]-[hash]",
  chunkNames: "shared-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".svg": "file" },
  legalComments: "linked",
  metafile: true,
  logLevel: "warning",
});

// The hashed name of each entry, and of its style sheet: `drivers.js`, `drivers.css`.
const names = {};
for (const [path, output] of Object.entries(result.metafile.outputs)) {
  if (!output.entryPoint) continue;
  const name = basename(path).replace(/-[A-Z0-9]+\.js$/, "");
  names[`${name}.js`] = basename(path);
  if (output.cssBundle) names[`${name}.css`] = basename(output.cssBundle);
}

for (const [page, source] of Object.entries(pages)) {
  const text = await readFile(join(here, source), "utf8");
  const named = text.replace(/\{\{([a-z.]+)\}\}/g, (_, name) => {
    if (!(name in names)) throw new Error(`${source}: there is no ${name}`);
    return `assets/${names[name]}`;
  });
  await writeFile(join(made, page), named);
}

// What of npm's packages is in them, for the list of parts (`make sbom`).
const packages = new Set(
  Object.keys(result.metafile.inputs).flatMap(
    (path) =>
      /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(path)?.[1] ?? [],
  ),
);
await writeFile(join(made, ".packages.json"), JSON.stringify([...packages].sort()));

const pack = { gz: promisify(gzip), br: promisify(brotliCompress) };
const options = {
  gz: { level: 9 },
  br: { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } },
};
const assets = join(made, "assets");
await mkdir(assets, { recursive: true });
await Promise.all(
  (await readdir(assets)).flatMap((name) =>
    Object.keys(pack).map(async (kind) => {
      const text = await readFile(join(assets, name));
      await writeFile(join(assets, `${name}.${kind}`), await pack[kind](text, options[kind]));
    }),
  ),
);

// Pages that are open, and processes that are replaced only now, ask for what was there before: the
// assets of one build before this are kept.
const list = ".assets.json";
const current = await readdir(assets);
await writeFile(join(made, list), JSON.stringify(current));
const before = await readFile(join(dist, list), "utf8").then(JSON.parse, () => []);
for (const name of before) {
  if (!current.includes(name)) await copyFile(join(dist, "assets", name), join(assets, name));
}
await rm(dist, { recursive: true, force: true });
await rename(made, dist);
