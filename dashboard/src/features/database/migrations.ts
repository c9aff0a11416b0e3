import { queryOptions } from '@tanstack/react-query'
import { answer, api, type Schema } from '@/lib/api/client'

export type MigrationName = Schema<'DatabaseMigrationName'>

/** The migrations of a project's database, the newest first. */
export const migrationsQuery = (ref: string) =>
  queryOptions({
    queryKey: ['database', ref, 'migrations'],
    queryFn: async ({ signal }) => [...((await answer(api.GET('/v1/projects/{ref}/database/migrations', { params: { path: { ref } }, signal }))) ?? [])].reverse(),
  })

/** One with its statements. */
export const migrationQuery = (ref: string, version: string) =>
  queryOptions({
    queryKey: ['database', ref, 'migrations', version],
    queryFn: ({ signal }) => answer(api.GET('/v1/projects/{ref}/database/migrations/{version}', { params: { path: { ref, version } }, signal })),
  })
