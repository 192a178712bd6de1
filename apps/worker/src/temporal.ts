import { TEMPORAL } from '@devflow/contracts'
import { Client, Connection, type WorkflowClientInterceptor } from '@temporalio/client'

/** Temporal's enum values. */
const TYPES = { Keyword: 2, KeywordList: 7 } as const

/** A client that finds a restarted Temporal within a second, where gRPC's own back-off may take minutes. */
export function connectLazily(
  address: string,
  namespace: string,
  interceptors: WorkflowClientInterceptor[] = [],
): Client {
  const connection = Connection.lazy({
    address,
    channelArgs: {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.min_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 1_000,
    },
  })
  return new Client({ connection, namespace, interceptors: { workflow: interceptors } })
}

/** Makes the search attributes known to a store that may be new. Safe to repeat. */
export async function registerSearchAttributes(client: Client, namespace: string): Promise<void> {
  const { operatorService } = client.connection as Connection
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace })
  const missing = Object.entries(TEMPORAL.searchAttributes).filter(([name]) => !customAttributes?.[name])
  if (missing.length === 0) return
  await operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map(([name, type]) => [name, TYPES[type]])),
  })
}
