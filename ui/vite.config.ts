/** The page: built into `ui/dist`, which the gateway serves. `npm run ui:dev` serves it with a running instance behind. */
import react from "@vitejs/plugin-react"
import { defineConfig } from "vite"

const gateway = process.env["VOXBUS_UI_GATEWAY"] ?? "http://127.0.0.1:8765"

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: { outDir: "dist", emptyOutDir: true, target: "es2023", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  server: { proxy: { "/api": gateway, "/login": gateway, "/health": gateway, "/ws": { target: gateway, ws: true } } }
})
