/** The folder of `devflow up`, unless it was told another. */
export const DATA_FOLDER = '.devflow'
