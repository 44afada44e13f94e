\set item 1
