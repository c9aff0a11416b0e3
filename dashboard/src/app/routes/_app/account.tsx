import { useQuery } from '@tanstack/react-query'
import { createFileRoute } from '@tanstack/react-router'
import { useState } from 'react'
import { Page } from '@/components/page'
import { CreateToken } from '@/features/account/createtoken'
import { PasswordSection } from '@/features/account/passwordsection'
import { ProfileSection } from '@/features/account/profilesection'
import { SessionsSection } from '@/features/account/sessionssection'
import { ThemeSection } from '@/features/account/themesection'
import { TokensSection } from '@/features/account/tokenssection'
import { orgsQuery } from '@/features/org/orgs'
import { allPermissionsQuery } from '@/features/permission/permissions'
import { PermissionList } from '@/features/role/permissionlist'
import { account } from '@/strings/account'

export const Route = createFileRoute('/_app/account')({ component: Account })

function Account() {
  const [creating, setCreating] = useState(false)
  const orgs = useQuery(orgsQuery)
  const permissions = useQuery(allPermissionsQuery)
  return (
    <Page title={account.title}>
      <ProfileSection />
      <PasswordSection />
      <SessionsSection />
      <TokensSection onCreate={() => setCreating(true)}>
        {creating && (
          <CreateToken
            orgs={orgs.data ?? []}
            permissionChoice={(chosen, onChange) => <PermissionList all={permissions.data ?? []} chosen={chosen} onChange={onChange} />}
            onClose={() => setCreating(false)}
          />
        )}
      </TokensSection>
      <ThemeSection />
    </Page>
  )
}
