import { fileURLToPath } from 'node:url'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'

const IMAGES = fileURLToPath(new URL('../../docs/images', import.meta.url))
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync']
const WIDTH = 1440
/** The bar at the left says nothing of runs. */
const LEFT = 64
const PATIENCE_MS = 60_000

const COLUMNS = ['DevflowTemplate', 'DevflowStatus', 'DevflowPhase', 'DevflowPersona']
const NOT_WANTED = ['Run ID', 'Type', 'Start', 'End']

/** The Temporal UI in a browser, and pictures of its parts. */
export class TemporalUi {
  readonly #browser: Browser
  readonly #page: Page
  readonly #home: string

  private constructor(browser: Browser, page: Page, url: string) {
    this.#browser = browser
    this.#page = page
    this.#home = `${url}/namespaces/default/workflows`
  }

  static async open(url: string, executablePath: string): Promise<TemporalUi> {
    const browser = await chromium.launch({ executablePath, args: FLAGS })
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 1400 } })
    page.setDefaultTimeout(PATIENCE_MS)
    return new TemporalUi(browser, page, url)
  }

  async close(): Promise<void> {
    await this.#browser.close()
  }

  /** Lets the list show what runs do, in place of Temporal's own times and ids. */
  async chooseColumns(): Promise<void> {
    await this.#page.goto(this.#home)
    await this.#page.getByTestId('workflows-summary-table-configuration-button').click()
    for (const name of NOT_WANTED) await this.#column(name, 'remove')
    for (const name of COLUMNS) await this.#column(name, 'add')
    await this.#page.getByTestId('drawer-close-button').click()
    await this.#page.getByLabel('Collapse saved views').click()
  }

  async #column(name: string, how: 'add' | 'remove'): Promise<void> {
    await this.#page.getByTestId(`orderable-list-item-${name}-${how}-button`).click()
  }

  /** The list of runs that a query finds, as many as told. */
  async takeList(name: string, runs: number, query?: string): Promise<void> {
    const page = this.#page
    await page.goto(query === undefined ? this.#home : `${this.#home}?query=${encodeURIComponent(query)}`)
    const rows = page.getByRole('link', { name: /^run-/ })
    await rows.nth(runs - 1).waitFor()
    await this.#take(name, page.getByRole('heading', { level: 1 }), rows.last(), { above: 12, below: 10 })
  }

  /** The history of a run as bars in time. */
  async takeHistory(name: string, run: string, text: string): Promise<void> {
    const page = this.#page
    await this.#openRun(run)
    const isVisible = { visible: true }
    await page.getByText(text).filter(isVisible).first().waitFor()
    const begin = page.getByText('wake', { exact: true }).filter(isVisible).first()
    await begin.waitFor()
    await this.#take(name, page.getByRole('heading', { name: 'Event History', exact: true }), begin, {
      above: 6,
      below: 24,
    })
  }

  /** What a run says of itself where it stands. */
  async takeDetails(name: string, run: string, text: string): Promise<void> {
    const page = this.#page
    await this.#openRun(run)
    await page.getByText('User Metadata', { exact: true }).click()
    const title = page.getByText('Current Details')
    await title.waitFor()
    const frame = page.locator('iframe').last()
    await frame.contentFrame().getByText(text).first().waitFor()
    const left = ((await title.boundingBox())?.x ?? 0) - 24
    // The UI shows the first lines, and the others when it is scrolled.
    await frame.evaluate((element) => {
      element.style.height = '800px'
    })
    const last = frame.contentFrame().locator('li').last()
    await this.#take(name, title, last, { above: 8, below: 16, left })
  }

  async #openRun(run: string): Promise<void> {
    await this.#page.goto(`${this.#home}?query=${encodeURIComponent(`DevflowRun = '${run}'`)}`)
    await this.#page
      .getByRole('link', { name: `run-${run}` })
      .first()
      .click()
    await this.#page.getByText('User Metadata', { exact: true }).waitFor()
  }

  /** From the top of one part of the page to the bottom of another, up to the right end. */
  async #take(
    name: string,
    first: Locator,
    last: Locator,
    { above, below, left = LEFT }: { above: number; below: number; left?: number },
  ): Promise<void> {
    await this.#page.evaluate('document.fonts.ready')
    const [top, bottom] = [await first.boundingBox(), await last.boundingBox()]
    if (!top || !bottom) throw new Error(`there is nothing to be seen for ${name}`)
    const y = Math.max(0, top.y - above)
    await this.#page.screenshot({
      path: `${IMAGES}/${name}.png`,
      animations: 'disabled',
      clip: { x: left, y, width: WIDTH - left, height: bottom.y + bottom.height + below - y },
    })
  }
}
