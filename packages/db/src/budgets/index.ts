export { askBudget, type BudgetQuestion } from './ask-budget.ts'
export { foldSlices } from './fold-slices.ts'
export { readBudgets } from './read-budgets.ts'
export { setBudgets } from './set-budgets.ts'
