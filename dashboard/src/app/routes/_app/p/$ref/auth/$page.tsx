import { createFileRoute } from '@tanstack/react-router'
import { SettingsPage } from '@/features/authconfig/page'

/** A page of settings that need no more than their rows. */
export const Route = createFileRoute('/_app/p/$ref/auth/$page')({ component: () => <SettingsPage id={Route.useParams().page} /> })
