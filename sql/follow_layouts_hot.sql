-- Tests of order_writes follow in the layouts of known shops, with every item hot: the stock and
-- verify agree after each statement as in follow_layouts.
SET layouts.hot = on;
\set hot on
\set ECHO none
\i sql/follow_layouts.sql
