import { defineConfig } from "vitest/config"

// `unit`: beside the code, no server. `integration`: test/, real servers and models, one file at a time on small machines.
export default defineConfig({
  test: {
    reporters: ["default"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["{contract,kernel,actors,gateway,launcher,library,models,ui/src}/**/*.test.ts"],
          testTimeout: 20_000
        }
      },
      { test: { name: "integration", include: ["test/**/*.test.ts"], testTimeout: 240_000, hookTimeout: 240_000, fileParallelism: false } }
    ]
  }
})
