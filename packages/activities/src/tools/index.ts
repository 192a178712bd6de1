// Law: what an agent may do, one file a tool. Nothing here leaves the workspace it is given, or writes to it.
export { builtTools, runTool, toolSpecs } from './registry.ts'
export type { ToolResult } from './tool.ts'
