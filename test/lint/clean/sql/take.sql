-- Test of take.
SELECT inventory.take();
