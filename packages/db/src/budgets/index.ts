export { askBudget, type BudgetQuestion } from './ask-budget.ts'
export { foldSlices } from './fold-slices.ts'
