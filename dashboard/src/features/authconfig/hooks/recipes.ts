// A hook to begin with, for each point: as a function, and as an endpoint.
import type { Point } from './points'

const grants = (name: string) => `grant usage on schema public to supabase_auth_admin;
grant execute on function public.${name} to supabase_auth_admin;
revoke execute on function public.${name} from authenticated, anon, public;
`

const body = (name: string, declare: string, statements: string, volatility = '') => `create or replace function public.${name}(event jsonb)
returns jsonb
language plpgsql
${volatility}as $$
${declare && `declare\n${declare}\n`}begin
${statements}
end;
$$;
`

/** A table that a function reads or writes, for nobody else. */
const closed = (table: string, verb: 'all' | 'select', granted: string) => `
grant ${granted} on table public.${table} to supabase_auth_admin;
revoke all on table public.${table} from authenticated, anon, public;
create policy "The auth hooks use it" on public.${table}
  for ${verb} to supabase_auth_admin using (true);
`

/** Counts failed attempts in a table, and refuses after some. */
const attempts = (name: string, table: string, most: number, message: string) => `create table public.${table} (
  user_id uuid not null references auth.users on delete cascade deferrable initially deferred,
  at timestamptz not null default now()
);
create index on public.${table} (user_id, at);
alter table public.${table} enable row level security;

${body(
  name,
  `  who uuid := (event->>'user_id')::uuid;
  failed int;`,
  `  if not (event->>'valid')::boolean then
    insert into public.${table} (user_id) values (who);
  end if;
  select count(*) into failed from public.${table}
  where user_id = who and at > now() - interval '10 minutes';

  if failed > ${most} then
    return '{"decision": "reject", "message": "${message}"}';
  end if;
  return '{"decision": "continue"}';`,
)}
${grants(name)}${closed(table, 'all', 'all')}`

/** The function of a point's recipe, in schema public. */
export const functionOf = (point: Point) => `${point}_hook`

export const sqlOf: Record<Point, string> = {
  custom_access_token: `create type public.app_role as enum ('admin', 'member');

create table public.user_roles (
  user_id uuid primary key references auth.users on delete cascade,
  role public.app_role not null,
  expires_at timestamptz
);
alter table public.user_roles enable row level security;

${body(
  'custom_access_token_hook',
  `  claims jsonb := event->'claims';
  user_role public.app_role;`,
  `  select role into user_role from public.user_roles
  where user_id = (event->>'user_id')::uuid and (expires_at is null or expires_at > now());

  claims := jsonb_set(claims, '{user_role}', coalesce(to_jsonb(user_role), 'null'));
  return jsonb_set(event, '{claims}', claims);`,
  'stable\n',
)}
${grants('custom_access_token_hook')}${closed('user_roles', 'select', 'select')}
-- A policy of yours reads the claim:
-- using ((select auth.jwt()) ->> 'user_role' = 'admin')
`,
  before_user_created: `${body(
    'before_user_created_hook',
    '',
    `  if coalesce(event->'user'->>'email', '') not ilike '%@example.com' then
    return '{"error": {"http_code": 403, "message": "Sign up with the address of your company."}}';
  end if;
  return '{}';`,
  )}
${grants('before_user_created_hook')}`,
  after_user_created: `create table public.profiles (
  user_id uuid primary key references auth.users on delete cascade deferrable initially deferred,
  full_name text
);
alter table public.profiles enable row level security;

${body(
  'after_user_created_hook',
  '',
  `  insert into public.profiles (user_id, full_name)
  values ((event->'user'->>'id')::uuid, event->'user'->'user_metadata'->>'full_name');
  return '{}';`,
)}
${grants('after_user_created_hook')}
grant insert on table public.profiles to supabase_auth_admin;
create policy "The auth hooks add rows" on public.profiles
  for insert to supabase_auth_admin with check (true);
create policy "Users read their own" on public.profiles
  for select to authenticated using (user_id = (select auth.uid()));
`,
  password_verification_attempt: attempts('password_verification_attempt_hook', 'wrong_passwords', 10, 'Too many wrong passwords. Try again in ten minutes.'),
  mfa_verification_attempt: attempts('mfa_verification_attempt_hook', 'wrong_codes', 5, 'Too many wrong codes. Try again in ten minutes.'),
}

const endpoint = (statements: string) => `import { Webhook } from 'standardwebhooks'

const webhook = new Webhook(process.env.HOOK_SECRET.replace('v1,whsec_', ''))

export async function POST(request) {
  // Throws unless the request is signed with your secret.
  const event = webhook.verify(await request.text(), Object.fromEntries(request.headers))
${statements}
}
`

const refusal = "Response.json({ error: { http_code: 403, message: 'Sign up with the address of your company.' } })"
const decision = (limit: string) => endpoint(`  const failed = await countFailures(event.user_id, event.valid) // yours
  if (failed > ${limit}) return Response.json({ decision: 'reject', message: 'Try again in ten minutes.' })
  return Response.json({ decision: 'continue' })`)

export const endpointOf: Record<Point, string> = {
  custom_access_token: endpoint(`  const claims = { ...event.claims, user_role: await roleOf(event.user_id) } // yours
  return Response.json({ claims })`),
  before_user_created: endpoint(`  if (!event.user.email.endsWith('@example.com')) {
    return ${refusal}
  }
  return Response.json({})`),
  after_user_created: endpoint(`  await welcome(event.user) // yours
  return Response.json({})`),
  password_verification_attempt: decision('10'),
  mfa_verification_attempt: decision('5'),
}
