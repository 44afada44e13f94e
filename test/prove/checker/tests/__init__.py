"""Tests of the checker: small cycles made by hand, correct ones and ones with a violation.

    cd test/prove && python3 -m unittest discover -t . -s checker/tests
"""
