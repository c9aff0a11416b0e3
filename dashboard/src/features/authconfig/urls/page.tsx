import { settings as words } from '@/strings/settings'
import { PageHead } from '../page'
import { Sections } from '../sections'
import { AllowList } from './allowlist'
import { RedirectTester } from './tester'

/** Where people may be sent. */
export function UrlsPage(tester: { url: string; onUrl: (url: string) => void }) {
  const page = words.pages.urls
  return (
    <>
      <PageHead title={page?.label ?? ''} description={page?.description} />
      <div className="mb-10">
        <Sections ids={['urls']} without={['uri_allow_list']} />
      </div>
      <AllowList />
      <RedirectTester {...tester} />
    </>
  )
}
