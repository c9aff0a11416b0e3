import { flag, oneOf, text, searchOf } from '@/lib/search'

/** What the address of an inbox may say. */
export const inboxSearch = searchOf({
  message: text(64),
  q: text(),
  view: oneOf('html', 'text', 'source', 'headers'),
  narrow: flag(),
})
