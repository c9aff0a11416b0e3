import { createFileRoute, Outlet } from '@tanstack/react-router'
import { SettingsArea } from '@/features/authconfig/area'

export const Route = createFileRoute('/_app/p/$ref/auth')({ component: Area })

function Area() {
  return (
    <SettingsArea projectRef={Route.useParams().ref}>
      <Outlet />
    </SettingsArea>
  )
}
