-- The mistake of a client: it tries again without its key.
--
-- rules: C2 C3
-- faults: client terminate
-- client: retry-keyless

-- nothing is spoilt but the client
