-- A client retries calls without their idempotency keys.
--
-- rules: C2 C3
-- faults: client terminate
-- client: retry-keyless

-- only the client differs
