import { QueryClient } from '@tanstack/react-query'
import { asApiError } from './api/error'

/** Reads are tried again while their error may pass; writes never. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failed, error) => failed < 2 && asApiError(error).temporary,
      retryDelay: (failed, error) => Math.max(asApiError(error).retryAfter * 1000, 500 * 2 ** failed),
    },
  },
})
