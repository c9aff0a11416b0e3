-- The rights on schema public that a new project has. There this is marked as
-- applied; it runs after a reset, which drops the schema, and in the shadow database.
create schema if not exists public;
do $$
declare
  ref text := substring(current_database() from '^reeve_(.+)$');
begin
  execute format('grant usage on schema public to public, anon, authenticated, service_role, %I, %I',
    'reeve_' || ref || '_auth', 'reeve_' || ref || '_api');
end $$;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
