import { useQuery } from '@tanstack/react-query'
import { createFileRoute, useRouter } from '@tanstack/react-router'
import { useState } from 'react'
import { Page } from '@/components/page'
import { CreateToken } from '@/features/account/createtoken'
import { FactorsSection } from '@/features/account/factorssection'
import { PasskeysSection } from '@/features/account/passkeyssection'
import { PasswordSection } from '@/features/account/passwordsection'
import { ProfileSection } from '@/features/account/profilesection'
import { SessionsSection } from '@/features/account/sessionssection'
import { ThemeSection } from '@/features/account/themesection'
import { TokensSection } from '@/features/account/tokenssection'
import { orgsQuery } from '@/features/org/orgs'
import { allPermissionsQuery } from '@/features/permission/permissions'
import { PermissionList } from '@/features/role/permissionlist'
import { localPath } from '@/lib/localpath'
import { account } from '@/strings/account'

export const Route = createFileRoute('/_app/account')({
  validateSearch: ({ back }): { back?: string } => (localPath(back) ? { back: localPath(back) } : {}),
  component: Account,
})

function Account() {
  const back = localPath(Route.useSearch().back)
  const router = useRouter()
  const [creating, setCreating] = useState(false)
  const orgs = useQuery(orgsQuery)
  const permissions = useQuery(allPermissionsQuery)
  return (
    <Page title={account.title}>
      <ProfileSection />
      <PasswordSection />
      <FactorsSection back={back} onBack={() => back && router.history.push(back)} />
      <PasskeysSection />
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
