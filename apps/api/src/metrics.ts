/** Counts requests by method, route and status, for Prometheus. Routes, never paths: their number is bounded. */
export class Metrics {
  readonly #requests = new Map<string, number>()

  count(method: string, route: string, status: number): void {
    const labels = `method="${method}",route="${route}",status="${status}"`
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1)
  }

  text(gauges: Record<string, number>): string {
    const lines = ['# TYPE devflow_api_requests_total counter']
    for (const [labels, count] of this.#requests) lines.push(`devflow_api_requests_total{${labels}} ${count}`)
    for (const [name, value] of Object.entries(gauges)) lines.push(`# TYPE ${name} gauge`, `${name} ${value}`)
    return `${lines.join('\n')}\n`
  }
}
