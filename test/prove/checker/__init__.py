"""The checker compares what the clients were told with the files of a cycle.

It shares no code with the engine and does not use the database.  It reads

    history.py   the calls of each client, and their answers
    tables.py    the final tables
    stream.py    every commit, in order, as the server decoded it (clock.py reads its times)
    rest.py      the units of each item, and its counter, when all is at rest

and combines them in cycle.py (timeline.py: which operation made a commit; totals.py: the units of
each item at each commit).  A rule is a module with a function check(cycle, report):

    c0_errors       only errors and refusals that the interface documents
    c1_balance      initial + put in - sold and not refunded = on hand
    c2_presence     acknowledged = stored, once, as asked for; refused = not stored
    c3_keys         one key, one effect, one answer
    c4_bounds       floor and limit at every commit and in every snapshot
    c5_refusals     each refusal was right at some instant of its call
    c6_levels       at rest the store reports the units that there are, and none in flight
    c7_ledger, c7_holds    the ledger explains every unit, also of holds

following.py has the store that follows its orders in the form of a cycle, to which c0, c4, c6 and c7
apply.  Its own rules are

    c1_units        initial + put in - what customers have = on hand
    c2_lines        headers and lines that were acknowledged are there, once, as asked for
    c8_worth        after each commit, the ledger is equal to what the lines are worth
"""
