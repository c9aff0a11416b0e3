// Which sections of settings make a page, and how the pages are ordered. A section
// that no page names gets one of its own; a page without sections has its own code.
import { settings as t } from '@/strings/settings'
import type { Section } from './description'

type Page = { id: string; sections: string[] }
type Group = { label: string; pages: Page[] }

const page = (id: string, ...sections: string[]): Page => ({ id, sections: sections.length > 0 ? sections : [id] })

const groups: Group[] = [
  { label: t.groups.ways, pages: [page('providers'), page('email', 'email', 'email_domains'), page('phone'), page('passkeys'), page('saml'), page('web3'), { id: 'issuers', sections: [] }] },
  {
    label: t.groups.rules,
    pages: [page('sign-up', 'sign_up'), page('passwords'), page('sessions', 'sessions', 'tokens'), page('mfa'), page('urls'), page('limits', 'rate_limits'), page('captcha')],
  },
  { label: t.groups.mail, pages: [page('templates'), page('notifications'), page('smtp')] },
  { label: t.groups.more, pages: [page('hooks'), page('oauth_server'), page('api_keys')] },
]

/** The pages that have a setting that is built. */
export function pagesOf(sections: Section[]): Group[] {
  const built = sections.filter((s) => s.settings?.some((one) => one.built)).map((s) => s.id)
  const named = groups.flatMap((g) => g.pages.flatMap((p) => p.sections))
  const further = built.filter((id) => !named.includes(id)).map((id) => page(id))
  return groups
    .map((g, i) => ({ ...g, pages: [...g.pages.filter((p) => p.sections.length === 0 || p.sections.some((id) => built.includes(id))), ...(i === groups.length - 1 ? further : [])] }))
    .filter((g) => g.pages.length > 0)
}

/** The page that has a setting. */
export const pageOf = (sections: Section[], setting: string): string | undefined => {
  const section = sections.find((s) => s.settings?.some((one) => one.name === setting))?.id
  return pagesOf(sections)
    .flatMap((g) => g.pages)
    .find((p) => section && p.sections.includes(section))?.id
}

/** The title of a page. */
export const titleOf = (sections: Section[], id: string) => t.pages[id]?.label ?? sections.find((s) => s.id === id)?.title ?? id
