"""The checker: what the clients were told, against what is in the files of a cycle.

It shares nothing with the engine and asks no database.  It reads

    history.py   what each client was about to ask, and what it was told
    tables.py    the final tables
    stream.py    every commit, in order, as the server decoded it (its times: clock.py)
    rest.py      what there is of each item, and in its counter, when all is at rest

and puts them together in cycle.py (which commit was whose: timeline.py; what there was of a hot
item: standing.py).  A rule is a module with a function check(cycle, report):

    c0_errors       no error that is nobody's fault
    c1_balance      initial + put in - sold and not refunded = on hand
    c2_presence     acknowledged = there, once, as asked for; refused = not there
    c3_keys         one key, one effect, one answer
    c4_bounds       floor and limit at every commit and in every snapshot
    c5_refusals     each refusal was right at some instant of its call
    c6_levels       at rest what is available is what is there, hot or not, and nothing in flight
    c7_ledger, c7_holds    every unit of the ledger is explained, also of holds
"""
