-- What a Supabase has: its roles, auth.uid(), and default privileges in public.
-- Only for PostgREST on a server of your own; run as a superuser.

CREATE ROLE anon NOLOGIN;
CREATE ROLE authenticated NOLOGIN;
CREATE ROLE service_role NOLOGIN BYPASSRLS;
CREATE ROLE shop_owner NOLOGIN;                  -- "postgres" on Supabase
CREATE ROLE authenticator LOGIN NOINHERIT;
GRANT anon, authenticated, service_role TO authenticator;

CREATE SCHEMA auth;
GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role, shop_owner;
CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
RETURN (nullif(current_setting('request.jwt.claims', true), '')::json ->> 'sub')::uuid;

GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;
GRANT USAGE, CREATE ON SCHEMA public TO shop_owner;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA public
    GRANT ALL ON TABLES TO anon, authenticated, service_role;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA public
    GRANT ALL ON FUNCTIONS TO anon, authenticated, service_role;
