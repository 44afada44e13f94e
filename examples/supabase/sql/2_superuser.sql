-- What only a superuser may do.

CREATE EXTENSION inventory;
CREATE SCHEMA stock AUTHORIZATION shop_owner;                 -- the ledger, and the functions for operators
ALTER ROLE authenticator SET inventory.http_errors = on;      -- sold out is 409; for new connections
