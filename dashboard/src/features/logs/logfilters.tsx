import { Button } from '@/components/button'
import { FilterInput, Filters, FilterSelect } from '@/components/filter'
import { logs as t } from '@/strings/logs'
import type { Level, LogSearch, Range } from './logs'

const codes = ['trigger_failed', 'redirect_refused', 'invalid_api_key', 'no_api_key', 'mail_server_failed', 'mail_refused', 'over_request_rate_limit', 'over_email_send_rate_limit', 'secret_key_in_browser', 'bad_jwt', 'provider_exchange_failed', 'captcha_failed', 'signup_disabled', 'api_key_expired', 'unexpected_failure']

/** The filters of the log; each is a part of the address. */
export function LogFilters({ search, onSearch }: { search: LogSearch; onSearch: (next: LogSearch) => void }) {
  const set = (change: LogSearch) => onSearch({ ...search, ...change })
  const some = Boolean(search.q || search.level || search.code || search.user || search.request || search.range)
  return (
    <Filters label={t.filters}>
      <FilterInput main label={t.search} value={search.q ?? ''} onChange={(q) => set({ q: q || undefined })} className="w-full sm:w-60" />
      <FilterSelect label={t.level} all={t.anyLevel} value={search.level ?? ''} onChange={(level) => set({ level: (level || undefined) as Level | undefined })} options={Object.entries(t.levelFrom).map(([value, label]) => ({ value, label }))} className="w-[calc(50%-4px)] sm:w-40" />
      <FilterSelect label={t.range} all={t.anyRange} value={search.range ?? ''} onChange={(range) => set({ range: (range || undefined) as Range | undefined })} options={Object.entries(t.ranges).map(([value, label]) => ({ value, label }))} className="w-[calc(50%-4px)] sm:w-32" />
      <FilterInput label={t.code} mono value={search.code ?? ''} onChange={(code) => set({ code: code || undefined })} list={codes} className="w-[calc(50%-4px)] sm:w-36" />
      <FilterInput label={t.user} mono value={search.user ?? ''} onChange={(user) => set({ user: user || undefined })} className="w-[calc(50%-4px)] sm:w-36" />
      <FilterInput label={t.request} mono value={search.request ?? ''} onChange={(request) => set({ request: request || undefined })} className="w-full sm:w-36" />
      {some && (
        <Button kind="quiet" onClick={() => onSearch({ live: search.live, entry: search.entry })}>
          {t.clear}
        </Button>
      )}
    </Filters>
  )
}
