// Law: what an agent may do, one file a tool. Nothing here leaves the workspace it is given.
export { builtTools, effectsOf, runTool, toolSpecs } from './registry.ts'
export { failed, refused, type ToolContext, type ToolResult } from './tool.ts'
