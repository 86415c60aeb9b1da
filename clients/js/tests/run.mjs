// Runs the compiled tests with node's own runner. Node 20 has WebSocket behind a flag; from 22 on it is there.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../build/tests/", import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith(".test.js"));
const flags = globalThis.WebSocket ? [] : ["--experimental-websocket"];
const options = { cwd: folder, stdio: "inherit" };
const { status } = spawnSync(process.execPath, [...flags, "--enable-source-maps", "--test", "--test-force-exit", ...process.argv.slice(2), ...files], options);
process.exitCode = status ?? 1;
