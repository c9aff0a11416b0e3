import { queryOptions } from '@tanstack/react-query'

/**
 * What the person may do in an organization, as the server says. Until it is known
 * everything is offered: the server decides anyway.
 */
export const orgPermissionsQuery = (slug: string) => queryOptions({ queryKey: ['permissions', 'org', slug], queryFn: () => Promise.resolve<string[] | null>(null), staleTime: 60_000 })

export const may = (permissions: string[] | null | undefined, permission: string) => !permissions || permissions.includes(permission)
