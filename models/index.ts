/** Models and native tools: list, fetch, import, remove, choose the speech engine, diagnose. */
export { catalog, type CatalogEntry, findEntry, type SetName } from "./Catalog.ts"
export { diagnose, type Check } from "./Doctor.ts"
export { type EnginePlan, ensureEngine, ensureWhisperCpp, PYTHON_ENGINE } from "./Engine.ts"
export { ensureModels } from "./Ensure.ts"
export { importModel } from "./ImportModel.ts"
export { listModels, type ListedModel, removeModel } from "./List.ts"
export { fetchModel, type FetchOptions, type Progress } from "./Resolver.ts"
export { terminalProgress } from "./TerminalProgress.ts"
