import type { ReactNode } from 'react'
import { Lock } from 'lucide-react'
import { Notice } from '@/components/state'
import { SideLinks } from '@/components/tabs'
import { settings as t } from '@/strings/settings'
import { pagesOf, titleOf } from './pages'
import { SaveBar } from './savebar'
import { SettingsProvider, useSettings } from './settings'

function Links() {
  const { ref, sections } = useSettings()
  return (
    <SideLinks
      label={t.nav}
      groups={pagesOf(sections).map((group) => ({
        label: group.label,
        links: group.pages.map((page) => ({ to: '/p/$ref/auth/$page', params: { ref, page: page.id }, label: titleOf(sections, page.id) })),
      }))}
    />
  )
}

function ReadOnly() {
  return (
    useSettings().readOnly && (
      <div className="mb-4 pt-5 lg:pt-0">
        <Notice icon={Lock}>{t.readOnly}</Notice>
      </div>
    )
  )
}

/** The frame of all pages of sign-in settings: their list, the page, and the one bar that saves. */
export function SettingsArea({ projectRef, children }: { projectRef: string; children: ReactNode }) {
  return (
    <div key={projectRef} className="mx-auto flex w-full max-w-[1120px] flex-col gap-x-8 px-4 pt-5 sm:px-8 lg:flex-row">
      <SettingsProvider projectRef={projectRef}>
        <Links />
        <div className="min-w-0 flex-1 pb-16">
          <ReadOnly />
          {children}
          <SaveBar />
        </div>
      </SettingsProvider>
    </div>
  )
}
